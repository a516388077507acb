package users

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/account"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/problem"
)

func (g *Group) registerChange(a *httpapi.API) {
	patch := operation(http.MethodPatch, "/me", "Change parts of the own profile",
		"What is absent stays as it is; null or an empty text clears what may be empty.")
	patch.Aliases = map[string]string{"name": "full_name", "phonenumber": "phone_number", "avatar_id": "avatar_upload_id"}
	httpapi.Register(a, patch.WithProblems(errNotFound, errUploadNotFound), g.patch)

	put := operation(http.MethodPut, "/{user_id}", "Write the own profile back",
		"For the journey client, which sends the whole object: name, phonenumber, country and instagram are taken, an empty password "+
			"is ignored and any other refused; _id, role, is_verified and all else are ignored.")
	put.OperationID = "update_user_api_v1_users__user_id__put"
	httpapi.Register(a, put.WithProblems(errForbidden, errNotFound, errPasswordNotChangedHere), g.put)
}

type patchInput struct {
	Body struct {
		_                 struct{}            `schema:"UserChange"`
		FullName          *string             `json:"full_name,omitempty" maxLength:"400" doc:"1 to 100 characters (alias: name)"`
		PhoneNumber       member              `json:"phone_number,omitempty" doc:"Alias: phonenumber" example:"+67077001122"`
		PreferredLanguage *string             `json:"preferred_language,omitempty" maxLength:"35" doc:"tet, pt or en"`
		Country           member              `json:"country,omitempty"`
		Instagram         member              `json:"instagram,omitempty" doc:"Handle; a leading @ is dropped"`
		ShareContact      *bool               `json:"share_contact,omitempty" doc:"Others see phone number and Instagram handle"`
		AvatarUploadID    member              `json:"avatar_upload_id,omitempty" doc:"An upload of the caller; null removes the picture"`
		NotificationPrefs *notification.Prefs `json:"notification_prefs,omitempty"`
	}
}

// change is what a request does to a profile; nil leaves a column as it is.
type change struct {
	fullName  *string
	phone     *member
	country   *member
	instagram *member
	language  *string
	share     *bool
	avatar    *member
	prefs     *notification.Prefs
}

func (g *Group) patch(ctx context.Context, in *patchInput) (*userOutput, error) {
	b := &in.Body
	u, err := g.apply(ctx, identity.Must(ctx).UserID, change{fullName: b.FullName, phone: &b.PhoneNumber, country: &b.Country,
		instagram: &b.Instagram, language: b.PreferredLanguage, share: b.ShareContact, avatar: &b.AvatarUploadID, prefs: b.NotificationPrefs})
	return &userOutput{Body: u}, err
}

type putInput struct {
	UserPath
	Body struct {
		_           struct{} `schema:"UserWrite"`
		Name        *string  `json:"name,omitempty" maxLength:"400"`
		FullName    *string  `json:"full_name,omitempty" maxLength:"400" doc:"Taken only without a name"`
		Email       *string  `json:"email,omitempty" maxLength:"320" doc:"The present one; it cannot be changed here"`
		PhoneNumber member   `json:"phonenumber,omitempty"`
		Country     member   `json:"country,omitempty"`
		Instagram   member   `json:"instagram,omitempty"`
		Password    *string  `json:"password,omitempty" maxLength:"1024" doc:"Absent, null or empty"`
	}
}

func (g *Group) put(ctx context.Context, in *putInput) (*userOutput, error) {
	c, err := self(ctx, in.UserID)
	if err != nil {
		return nil, err
	}
	b := &in.Body
	if b.Password != nil && *b.Password != "" {
		return nil, errPasswordNotChangedHere
	}
	if b.Email != nil && *b.Email != "" {
		if err := g.sameEmail(ctx, c.UserID, *b.Email); err != nil {
			return nil, err
		}
	}
	name := b.Name
	if name == nil {
		name = b.FullName
	}
	u, err := g.apply(ctx, c.UserID, change{fullName: name, phone: &b.PhoneNumber, country: &b.Country, instagram: &b.Instagram})
	return &userOutput{Body: u}, err
}

func (g *Group) sameEmail(ctx context.Context, id uuid.UUID, given string) error {
	u, err := g.load(ctx, id)
	if err != nil {
		return err
	}
	if address, ok := mail.ParseAddress(given); !ok || address != u.Email {
		return problem.InvalidField("email", "cannot be changed here")
	}
	return nil
}

// apply checks a change and writes it.
func (g *Group) apply(ctx context.Context, id uuid.UUID, c change) (account.User, error) {
	set, args, err := c.columns()
	if err != nil {
		return account.User{}, err
	}
	var user *database.Ask[account.User]
	err = g.db.InTx(ctx, func(tx *database.Tx) error {
		if c.avatar != nil && c.avatar.sent {
			if err := g.changeAvatar(ctx, tx, id, c.avatar.value); err != nil {
				return err
			}
		}
		if len(set) > 0 {
			// What is sent back as it is changes nothing, not even the time of the change.
			q := `UPDATE users SET ` + strings.Join(set, ", ") + `, updated_at = now() WHERE id = $1 AND deleted_at IS NULL AND (` +
				strings.ReplaceAll(strings.Join(set, " OR "), " = ", " IS DISTINCT FROM ") + `)`
			tx.Queue(q, append([]any{id}, args...)...)
		}
		user = account.AskUser(tx, id, httpapi.Origin(ctx))
		return nil
	})
	if errors.Is(err, account.ErrNotFound) {
		err = errNotFound
	}
	if err != nil {
		return account.User{}, err
	}
	return user.Get(), nil
}

// columns are the assignments of a change, from $2 on, and their values.
func (c change) columns() ([]string, []any, error) {
	var set []string
	var args []any
	assign := func(column string, value any) {
		args = append(args, value)
		set = append(set, fmt.Sprintf("%s = $%d", column, len(args)+1))
	}
	if c.fullName != nil {
		name, err := line("full_name", *c.fullName, 1, 100)
		if err != nil {
			return nil, nil, err
		}
		assign("full_name", name)
	}
	texts := []struct {
		m       *member
		column  string
		longest int
	}{{c.phone, "phone_number", 32}, {c.country, "country", 80}, {c.instagram, "instagram", 60}}
	for _, t := range texts {
		if t.m == nil || !t.m.sent {
			continue
		}
		value, err := line(t.column, t.m.value, 0, t.longest)
		if err != nil {
			return nil, nil, err
		}
		if t.column == "instagram" {
			value = strings.TrimPrefix(value, "@")
		}
		if t.column == "phone_number" && value != "" && !phone().MatchString(value) {
			return nil, nil, problem.InvalidField("phone_number", "expected a phone number such as +67077001122")
		}
		assign(t.column, emptyAsNull(value))
	}
	if c.language != nil {
		l, ok := locale.Parse(strings.ToLower(strings.TrimSpace(*c.language)))
		if !ok {
			return nil, nil, problem.InvalidField("preferred_language", "expected tet, pt or en")
		}
		assign("preferred_language", string(l))
	}
	if c.share != nil {
		assign("share_contact", *c.share)
	}
	if c.prefs != nil {
		prefs, ok := c.prefs.Read()
		if !ok {
			return nil, nil, problem.InvalidField("notification_prefs.muted", "expected types of notifications, digest or alerts")
		}
		raw, err := json.Marshal(prefs)
		if err != nil {
			return nil, nil, fmt.Errorf("encode preferences: %w", err)
		}
		assign("notification_prefs", string(raw))
	}
	return set, args, nil
}

var phone = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\+?[0-9][0-9 ()./-]{2,30}$`)
})

func emptyAsNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// line is a text of one line, trimmed, of at least shortest and at most longest characters.
func line(field, s string, shortest, longest int) (string, error) {
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)), " ")
	if n := utf8.RuneCountInString(s); n < shortest || n > longest {
		return "", problem.InvalidField(field, fmt.Sprintf("expected %d to %d characters", shortest, longest))
	}
	return s, nil
}
