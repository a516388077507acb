package ledger_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
)

// hidden is the member hidden of the newest event of a report.
func (b *bundle) hidden(id uuid.UUID) []string {
	b.t.Helper()
	var said struct{ Hidden []string }
	raw := scan[string](b, `SELECT convert_from(payload, 'UTF8') FROM ledger_events WHERE report_id = $1 ORDER BY seq DESC LIMIT 1`, id)
	if err := json.Unmarshal([]byte(raw), &said); err != nil {
		b.t.Fatal(err)
	}
	return said.Hidden
}

// An event lists all that is hidden after it, and verify finds it the same, also after a comment that is hidden was removed.
func TestAnEventListsWhatIsHidden(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.full()
	hide := ledger.Event{Type: ledger.Hidden, ReasonCode: "offensive", Actor: ledger.Actor{Kind: "moderator"}, At: at(10)}
	for _, step := range []struct {
		change string
		want   []string
	}{
		{`UPDATE reports SET words_hidden = 'moderator' WHERE id = $1`, []string{"words"}},
		{`UPDATE report_images SET hidden = 'flags' WHERE report_id = $1`, []string{"image:0", "words"}},
		{`UPDATE report_comments SET hidden = 'moderator' WHERE report_id = $1`, []string{"comment:4", "comment:5", "image:0", "words"}},
		{`UPDATE reports SET words_hidden = NULL WHERE id = $1`, []string{"comment:4", "comment:5", "image:0"}},
	} {
		b.exec(step.change, id)
		b.must(id, hide)
		if got := b.hidden(id); !reflect.DeepEqual(got, step.want) {
			t.Errorf("%s: the event says %q, want %q", step.change, got, step.want)
		}
		if got, _ := b.broken(id); got != nil {
			t.Errorf("%s: verify finds %q", step.change, got)
		}
	}
}

// A long list is one digest. Verify compares it.
func TestALongListOfWhatIsHiddenIsOneDigest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`ALTER TABLE report_comments DISABLE TRIGGER USER`)
	id := b.full()
	for seq := 7; seq < 67; seq++ {
		comment := database.NewID()
		b.must(id, ledger.Event{Type: ledger.Commented, Comment: &ledger.Comment{ID: comment, Author: b.user, Content: "Sei boot."}, At: at(seq)})
		b.exec(`INSERT INTO report_comments (id, report_id, author_id, content, created_at, seq, hidden) VALUES ($1, $2, $3, 'Sei boot.', $4, $5, 'moderator')`,
			comment, id, b.user, at(seq), seq)
	}
	b.exec(`UPDATE reports SET comments_count = 61 WHERE id = $1`, id)
	e := ledger.Event{Type: ledger.Hidden, ReasonCode: "offensive", Actor: ledger.Actor{Kind: "moderator"}, At: at(70)}
	b.must(id, e)
	if got := b.hidden(id); len(got) != 1 || !strings.HasPrefix(got[0], "sha256:") {
		t.Fatalf("the event says %q", got)
	}
	if got, _ := b.broken(id); got != nil {
		t.Errorf("verify finds %q", got)
	}
	b.exec(`UPDATE report_comments SET hidden = NULL WHERE report_id = $1 AND seq = 8`, id)
	if got, _ := b.broken(id); len(got) != 1 || !strings.HasPrefix(got[0], "report: hidden") {
		t.Errorf("verify finds %q of a comment that is shown again", got)
	}
}

// The functions hide and show only with the event that says so.
func TestTheFunctionsHideOnlyWithAnEvent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, change := range []string{
		`UPDATE reports SET words_hidden = 'moderator' WHERE id = $1`, `UPDATE reports SET words_hidden_reason = 'other' WHERE id = $1`,
		`UPDATE report_comments SET hidden = 'flags' WHERE report_id = $1 AND seq = 4`, `UPDATE report_comments SET hidden_reason = 'other' WHERE report_id = $1 AND seq = 4`,
		`UPDATE report_images SET hidden = 'flags' WHERE report_id = $1`, `UPDATE report_images SET hidden_reason = 'other' WHERE report_id = $1`,
		`UPDATE report_images SET boxes = '[]' WHERE report_id = $1`,
	} {
		for _, event := range []ledger.Type{"", ledger.Amended, ledger.Hidden} {
			id := b.full()
			err := b.box.Do(t.Context(), func(tx *outbox.Tx) error {
				tx.Queue(change, id)
				if event == "" {
					return nil
				}
				return b.appendIn(tx, id, ledger.Event{Type: event})
			})
			refused := err != nil && strings.Contains(fmt.Sprint(err), "without its event")
			if refused != (event != ledger.Hidden) || err != nil && !refused {
				t.Errorf("%s with event %q: %v", change, event, err)
			}
		}
	}
}
