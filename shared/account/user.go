// Package account reads and stores people and their devices: the account as its owner and administrators see it, the part
// that others see, and the devices that push messages go to.
package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// NewID returns the id of a new account. It is random, while other ids begin with their time: everybody can read it, and the
// hour of a registration can tell who somebody is.
func NewID() uuid.UUID { return uuid.New() }

// User is a person's own view of their account. There is no password in it, nor a hash of one.
type User struct {
	ID                uuid.UUID       `json:"id"`
	LegacyID          uuid.UUID       `json:"_id" doc:"The same as id, for the journey client"`
	Email             string          `json:"email" doc:"In lower case" example:"maria@example.tl"`
	FullName          string          `json:"full_name" example:"Maria dos Santos"`
	Name              string          `json:"name" doc:"The same as full_name"`
	PhoneNumber       *string         `json:"phone_number" example:"+67077001122"`
	LegacyPhoneNumber *string         `json:"phonenumber" doc:"The same as phone_number"`
	Country           *string         `json:"country" example:"Timor-Leste"`
	Instagram         *string         `json:"instagram" doc:"Handle, without the @"`
	AvatarURL         *string         `json:"avatar_url" doc:"Address of the picture; redirects to the bytes"`
	Role              identity.Role   `json:"role" enum:"citizen,moderator,government_official,admin"`
	AuthProvider      string          `json:"auth_provider" enum:"email,google" doc:"How the person signs in; google only when there is no password"`
	IsVerified        bool            `json:"is_verified" doc:"The e-mail address was confirmed"`
	IsActive          bool            `json:"is_active" doc:"False while suspended"`
	PreferredLanguage string          `json:"preferred_language" enum:"tet,pt,en"`
	ShareContact      bool            `json:"share_contact" doc:"Others see the phone number and the Instagram handle"`
	ReportsCount      int             `json:"reports_count"`
	FixedReportsCount int             `json:"fixed_reports_count"`
	CreatedAt         timestamp.Time  `json:"created_at"`
	LastLoginAt       *timestamp.Time `json:"last_login_at"`

	NotificationPrefs notification.Prefs `json:"notification_prefs" doc:"What is absent is wanted"`
}

// Public is what others see of a person.
type Public struct {
	_                 struct{}       `schema:"PublicUser"`
	ID                uuid.UUID      `json:"id"`
	LegacyID          uuid.UUID      `json:"_id"`
	FullName          string         `json:"full_name"`
	Name              string         `json:"name"`
	AvatarURL         *string        `json:"avatar_url"`
	Country           *string        `json:"country"`
	ReportsCount      int            `json:"reports_count" doc:"Reports that name the person: not anonymous, judged, and not rejected"`
	CreatedAt         timestamp.Time `json:"created_at" doc:"The first day of its month, UTC"`
	LegacyPhoneNumber *string        `json:"phonenumber,omitempty" doc:"Only when the person shares it"`
	Instagram         *string        `json:"instagram,omitempty" doc:"Only when the person shares it"`
}

// public is the view of u for others. Nothing in it changes with what u does anonymously or at a time that others can tell.
func (u User) public(named int) Public {
	created := u.CreatedAt.UTC()
	p := Public{ID: u.ID, LegacyID: u.ID, FullName: u.FullName, Name: u.Name, AvatarURL: u.AvatarURL, Country: u.Country,
		ReportsCount: named, CreatedAt: timestamp.Of(time.Date(created.Year(), created.Month(), 1, 0, 0, 0, 0, time.UTC))}
	if u.ShareContact {
		p.LegacyPhoneNumber, p.Instagram = u.PhoneNumber, u.Instagram
	}
	return p
}

// Columns are what Scan reads, of users under the name u.
const Columns = `u.id, u.email, u.full_name, u.phone_number, u.country, u.instagram, u.avatar_upload_id, u.role,
	u.password_hash IS NULL AND u.google_subject IS NOT NULL, u.email_verified_at IS NOT NULL, u.suspended_at IS NULL,
	u.preferred_language, u.share_contact, u.reports_count, u.fixed_reports_count, u.created_at, u.last_login_at,
	u.notification_prefs`

// Scan reads a row of Columns.
func Scan(row pgx.CollectableRow) (User, error) { return ScanWith(row) }

// ScanWith reads a row of Columns and further ones behind them.
func ScanWith(row pgx.CollectableRow, further ...any) (User, error) {
	var (
		u      User
		avatar *uuid.UUID
		google bool
		login  *time.Time
		prefs  []byte
	)
	err := row.Scan(append([]any{&u.ID, &u.Email, &u.FullName, &u.PhoneNumber, &u.Country, &u.Instagram, &avatar, &u.Role,
		&google, &u.IsVerified, &u.IsActive, &u.PreferredLanguage, &u.ShareContact, &u.ReportsCount, &u.FixedReportsCount,
		&u.CreatedAt.Time, &login, &prefs}, further...)...)
	if err != nil {
		return User{}, err
	}
	u.LastLoginAt, u.NotificationPrefs = timestamp.OfPtr(login), notification.ParsePrefs(prefs)
	u.LegacyID, u.Name, u.LegacyPhoneNumber = u.ID, u.FullName, u.PhoneNumber
	u.AvatarURL = AvatarURL(u.ID, avatar)
	u.AuthProvider = "email"
	if google {
		u.AuthProvider = "google"
	}
	return u, nil
}

// AvatarURL is where the picture of a person is, on the API's own host; nil for a person without one.
// It changes with the picture, so that a client may keep what it has.
func AvatarURL(user uuid.UUID, upload *uuid.UUID) *string {
	if upload == nil {
		return nil
	}
	id := upload.String()
	address := "/api/v1/users/" + user.String() + "/avatar?v=" + id[len(id)-8:]
	return &address
}

// ErrNotFound reports that no account has the id, or that it was erased.
var ErrNotFound = errors.New("person not found")

// Load reads a person who was not erased, else ErrNotFound. origin is the scheme and host of the addresses in it.
func Load(ctx context.Context, q database.Querier, id uuid.UUID, origin string) (User, error) {
	rows, err := q.Query(ctx, `SELECT `+Columns+` FROM users u WHERE u.id = $1 AND u.deleted_at IS NULL`, id)
	if err != nil {
		return User{}, fmt.Errorf("read person: %w", err)
	}
	u, err := pgx.CollectExactlyOneRow(rows, Scan)
	if errors.Is(err, pgx.ErrNoRows) {
		return User{}, ErrNotFound
	}
	if err != nil {
		return User{}, fmt.Errorf("read person: %w", err)
	}
	return u.At(origin), nil
}

// LoadPublic reads what others see of a person who was not erased, else ErrNotFound. The reports that it counts are those
// on which everybody can read the name. If others were counted, somebody could watch the counts of a few people and see whose
// rises when an anonymous report appears.
func LoadPublic(ctx context.Context, q database.Querier, id uuid.UUID, origin string) (Public, error) {
	const query = `
		SELECT ` + Columns + `, (SELECT count(*) FROM reports r WHERE r.user_id = u.id AND r.deleted_at IS NULL
		       AND NOT r.is_anonymous AND r.status NOT IN ('pending', 'rejected'))
		  FROM users u WHERE u.id = $1 AND u.deleted_at IS NULL`
	rows, err := q.Query(ctx, query, id)
	if err != nil {
		return Public{}, fmt.Errorf("read person: %w", err)
	}
	var named int
	u, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (User, error) { return ScanWith(row, &named) })
	if errors.Is(err, pgx.ErrNoRows) {
		return Public{}, ErrNotFound
	}
	if err != nil {
		return Public{}, fmt.Errorf("read person: %w", err)
	}
	return u.At(origin).public(named), nil
}

// AskUser is Load in a pipeline, which fails with ErrNotFound.
func AskUser(p database.Pipeline, id uuid.UUID, origin string) *database.Ask[User] {
	const q = `SELECT ` + Columns + ` FROM users u WHERE u.id = $1 AND u.deleted_at IS NULL`
	found := database.AskRow(p, Scan, q, id).Missing(ErrNotFound)
	return database.Derive(func() User { return found.Get().At(origin) })
}

// At makes the addresses of u absolute: origin is scheme and host.
func (u User) At(origin string) User {
	if u.AvatarURL != nil {
		absolute := origin + *u.AvatarURL
		u.AvatarURL = &absolute
	}
	return u
}
