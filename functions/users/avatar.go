package users

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/upload"
)

func (g *Group) registerAvatar(a *httpapi.API) {
	op := operation(http.MethodGet, "/{user_id}/avatar", "See a person's picture",
		"Redirects to the bytes. The address comes with the profile and changes with the picture.")
	op.Access, op.Cache, op.DefaultStatus = httpapi.Public, httpapi.Never, http.StatusFound
	op.Responses = map[string]*huma.Response{"302": {Description: "The picture is at Location"}}
	httpapi.Register(a, op.WithProblems(errNoAvatar), g.avatar)
}

// avatarLife is how long the address of a picture works.
const avatarLife = 15 * time.Minute

type avatarOutput struct {
	Location string `header:"Location"`
}

var errNoAvatar = problem.New(problem.NotFound, "not_found")

func (g *Group) avatar(ctx context.Context, in *UserPath) (*avatarOutput, error) {
	const q = `
		SELECT p.id FROM users u JOIN uploads p ON p.id = u.avatar_upload_id
		 WHERE u.id = $1 AND u.deleted_at IS NULL AND p.state = 'processed'`
	var picture uuid.UUID
	err := g.db.QueryRow(ctx, q, in.UserID).Scan(&picture)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, errNoAvatar
	}
	if err != nil {
		return nil, fmt.Errorf("find picture: %w", err)
	}
	link, err := g.links.Fresh(ctx, upload.RenditionKey(picture, 0, upload.Thumbnail), avatarLife)
	if err != nil {
		return nil, err
	}
	return &avatarOutput{Location: link}, nil
}

// changeAvatar uses an upload of the person as their picture; an empty id
// removes it. The old picture expires now, and relay deletes it.
func (g *Group) changeAvatar(ctx context.Context, tx *database.Tx, user uuid.UUID, uploadID string) error {
	var picture *uuid.UUID
	if uploadID != "" {
		id, err := uuid.Parse(uploadID)
		if err != nil {
			return problem.InvalidField("avatar_upload_id", "expected the id of an upload")
		}
		picture = &id
	}
	now := g.clock.Now()
	current := database.AskRow(tx, pgx.RowTo[*uuid.UUID], `SELECT avatar_upload_id FROM users WHERE id = $1 FOR UPDATE`, user)
	const lock = `SELECT attached_at IS NULL AND expires_at > $3 AND state <> 'refused' FROM uploads WHERE id = $1 AND user_id = $2 FOR UPDATE`
	usable := database.AskOptional(tx, pgx.RowTo[bool], lock, picture, user, now)
	if err := tx.Flush(ctx); err != nil {
		return fmt.Errorf("read picture: %w", err)
	}
	old := current.Get()
	if picture != nil && old != nil && *picture == *old {
		return nil
	}
	if picture != nil {
		if ok := usable.Get(); ok == nil || !*ok {
			return errUploadNotFound
		}
		tx.Queue(`UPDATE uploads SET attached_at = $2 WHERE id = $1`, picture, now)
	}
	orphan(tx, old, now)
	tx.Queue(`UPDATE users SET avatar_upload_id = $2 WHERE id = $1`, user, picture)
	return nil
}

// orphan detaches an upload and makes it expire now.
func orphan(p database.Pipeline, picture *uuid.UUID, now time.Time) {
	if picture != nil {
		p.Queue(`UPDATE uploads SET attached_at = NULL, expires_at = $2 WHERE id = $1`, picture, now)
	}
}
