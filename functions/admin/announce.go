package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

func (g *Group) registerAnnounce(a *httpapi.API) {
	op := operation(http.MethodPost, "/announcements", "Tell people something",
		"In the app and by push, once to each person it is for: everybody, or those of a municipality. A scheduled worker sends it within minutes. At least one language is needed, "+
			"with title and text; a language that is left out gets the words of the first one that is there: Tetum, Portuguese, English.")
	op.DefaultStatus, op.Creates = http.StatusCreated, true
	httpapi.Register(a, op, g.announce)
}

// words are a text in three languages.
type words struct {
	_          struct{} `schema:"AnnouncementTexts"`
	Tetum      string   `json:"tet,omitempty" maxLength:"2000"`
	Portuguese string   `json:"pt,omitempty" maxLength:"2000"`
	English    string   `json:"en,omitempty" maxLength:"2000"`
}

type announceInput struct {
	Body struct {
		_                struct{} `schema:"AnnouncementCreate"`
		Title            words    `json:"title" doc:"1 to 150 characters in each language"`
		Text             words    `json:"body" doc:"1 to 2000 characters in each language"`
		MunicipalityCode string   `json:"municipality_code,omitempty" maxLength:"20" doc:"Of /locations/municipalities; left out for everybody" example:"TL-DI"`
	}
}

// Announcement is something that people are told.
type Announcement struct {
	ID               uuid.UUID      `json:"id"`
	Title            words          `json:"title"`
	Text             words          `json:"body"`
	MunicipalityCode *string        `json:"municipality_code"`
	CreatedAt        timestamp.Time `json:"created_at"`
}

type announceOutput struct {
	Body Announcement
}

// maxTitle is the longest title, in characters.
const maxTitle = 150

// read checks the words of both texts, and completes the languages.
func (in *announceInput) read() (words, words, error) {
	titles, texts := in.Body.Title.all(), in.Body.Text.all()
	first := -1
	for i, l := range locale.Languages() {
		titles[i], texts[i] = strings.Join(strings.Fields(titles[i]), " "), strings.TrimSpace(database.Text(texts[i]))
		switch {
		case (titles[i] == "") != (texts[i] == ""):
			return words{}, words{}, problem.InvalidField("body."+string(l), "title and body have the same languages")
		case utf8.RuneCountInString(titles[i]) > maxTitle:
			return words{}, words{}, problem.InvalidField("title."+string(l), "expected 1 to 150 characters")
		case titles[i] != "" && first < 0:
			first = i
		}
	}
	if first < 0 {
		return words{}, words{}, problem.InvalidField("title", "expected at least one language")
	}
	for i := range titles {
		if titles[i] == "" {
			titles[i], texts[i] = titles[first], texts[first]
		}
	}
	return wordsOf(titles), wordsOf(texts), nil
}

// all are the texts in the order of locale.Languages: Tetum, Portuguese, English.
func (w words) all() []string { return []string{w.Tetum, w.Portuguese, w.English} }

func wordsOf(all []string) words { return words{Tetum: all[0], Portuguese: all[1], English: all[2]} }

func (g *Group) announce(ctx context.Context, in *announceInput) (*announceOutput, error) {
	a := Announcement{ID: database.NewID(), CreatedAt: timestamp.Of(g.clock.Now())}
	var err error
	if a.Title, a.Text, err = in.read(); err != nil {
		return nil, err
	}
	if code := strings.ToUpper(strings.TrimSpace(in.Body.MunicipalityCode)); code != "" {
		a.MunicipalityCode = &code
	}
	title, text, err := encoded(a.Title, a.Text)
	if err != nil {
		return nil, err
	}
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		const q = `
			INSERT INTO announcements (id, title, body, municipality_code, created_by, created_at)
			SELECT $1, $2, $3, $4, $5, $6 WHERE $4::text IS NULL OR EXISTS (SELECT FROM municipalities WHERE code = $4)
			RETURNING true`
		stored := database.AskOptional(tx, pgx.RowTo[bool], q, a.ID, title, text, a.MunicipalityCode, identity.Must(ctx).UserID, a.CreatedAt.Time)
		entry := audit.Entry{Action: "announcement.create", Entity: "announcement", EntityID: a.ID.String(),
			After: map[string]any{"title": a.Title, "municipality_code": a.MunicipalityCode}}
		if err := audit.Record(ctx, tx, entry); err != nil {
			return err
		}
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("store announcement: %w", err)
		}
		if stored.Get() == nil {
			return problem.InvalidField("municipality_code", "expected codes of municipalities")
		}
		return httpapi.RecordAnswer(ctx, tx, http.StatusCreated, a)
	})
	if err != nil {
		return nil, err
	}
	return &announceOutput{Body: a}, nil
}

func encoded(title, text words) (json.RawMessage, json.RawMessage, error) {
	first, err := json.Marshal(title)
	if err != nil {
		return nil, nil, fmt.Errorf("encode announcement: %w", err)
	}
	second, err := json.Marshal(text)
	if err != nil {
		return nil, nil, fmt.Errorf("encode announcement: %w", err)
	}
	return first, second, nil
}
