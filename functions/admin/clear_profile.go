package admin

import (
	"context"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/outbox"
)

// cleared says what an administrator takes out of a profile, because others see it.
type cleared struct {
	Name   bool `json:"name_cleared,omitempty"`
	Avatar bool `json:"avatar_cleared,omitempty"`
}

func (c cleared) any() bool { return c.Name || c.Avatar }

// clears is what the request takes out of the profile. What is empty already is not taken out again.
func (in *changeUserInput) clears(who Account) cleared {
	sent := func(b *bool) bool { return b != nil && *b }
	return cleared{Name: sent(in.Body.ClearName) && who.FullName != "", Avatar: sent(in.Body.ClearAvatar) && who.AvatarURL != nil}
}

// clearProfile empties name and picture of a person and mails them. Others then read the word for a citizen, also in notifications
// of before. relay deletes the picture.
func (g *Group) clearProfile(ctx context.Context, tx *outbox.Tx, who Account, c cleared) error {
	now := g.clock.Now()
	if c.Name {
		tx.Queue(`UPDATE users SET full_name = '', updated_at = $2 WHERE id = $1`, who.ID, now)
		const unsign = `
			UPDATE notifications n SET params = n.params || '{"author": ""}'
			  FROM report_comments c
			 WHERE c.author_id = $1 AND n.type = 'comment_added' AND n.event_key = 'comment:' || c.id AND n.params ? 'author'`
		tx.Queue(unsign, who.ID)
	}
	if c.Avatar {
		tx.Queue(`UPDATE uploads SET attached_at = NULL, expires_at = $2 WHERE id = (SELECT avatar_upload_id FROM users WHERE id = $1)`, who.ID, now)
		tx.Queue(`UPDATE users SET avatar_upload_id = NULL, updated_at = $2 WHERE id = $1`, who.ID, now)
	}
	if !who.IsVerified {
		return nil
	}
	language, _ := locale.Parse(who.PreferredLanguage)
	return mail.Send(ctx, tx, g.sealer, mail.Message{To: who.Email, Language: language, Template: mail.ProfileCleared})
}
