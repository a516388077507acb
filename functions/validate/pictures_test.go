package validate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/outbox"
)

// pictures are the verdicts about the pictures of a report, oldest first; those removed are left out.
func (b *bundle) pictures(id uuid.UUID) string {
	b.t.Helper()
	return one[string](b, `SELECT coalesce(string_agg(verdict, ' ' ORDER BY created_at, id), '') FROM report_images WHERE report_id = $1 AND deleted_at IS NULL`, id)
}

// arrive is what the images worker does when a picture arrives.
func (b *bundle) arrive(picture uuid.UUID, seed int) {
	b.t.Helper()
	b.put(one[uuid.UUID](b, `UPDATE uploads u SET state = 'processed' FROM report_images i WHERE i.id = $1 AND u.id = i.upload_id RETURNING u.id`, picture), seed)
}

// The reporter swaps the picture while its verdict is out: the new one has not arrived yet. The verdict about the first
// must not open the report for the second.
func TestAVerdictAboutARemovedPictureDoesNotCount(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.report(-8.55, 125.57)
	first := b.attach(id, "processed", 1)
	second := b.attach(id, "issued", 2)
	b.exec(`UPDATE report_images SET deleted_at = now() WHERE id = $1`, second) // it is attached when the verdict is out
	b.meanwhile(fmt.Sprintf(`version = version + 1; UPDATE report_images SET deleted_at = CASE id WHEN '%s' THEN now() END`, first))
	b.answers(relevant)
	if b.deliver(id, 1) {
		t.Fatal("the message returned to the queue")
	}
	if got := b.state(id); !strings.HasPrefix(got, "pending ") {
		t.Errorf("after the verdict about the removed picture: %s", got)
	}
	if got := b.pictures(id); got != "awaited" {
		t.Errorf("pictures: %s", got)
	}
	b.arrive(second, 2)
	b.answers(irrelevant)
	b.deliver(id, 1)
	if got := b.state(id); got != rejected {
		t.Errorf("after the verdict about the picture that is there: %s, want %s", got, rejected)
	}
}

// A picture that is added while the verdict about another is out, and has not arrived yet, is judged with it.
func TestAVerdictWaitsForAPictureThatWasAddedMeanwhile(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.report(-8.55, 125.57)
	b.attach(id, "processed", 1)
	second := b.attach(id, "issued", 2)
	b.exec(`UPDATE report_images SET deleted_at = now() WHERE id = $1`, second) // it is attached when the verdict is out
	b.meanwhile(`version = version + 1; UPDATE report_images SET deleted_at = NULL`)
	b.answers(relevant)
	if b.deliver(id, 1) {
		t.Fatal("the message returned to the queue")
	}
	if got := b.state(id) + b.pictures(id); !strings.HasPrefix(got, "pending ") || !strings.HasSuffix(got, "awaited awaited") {
		t.Errorf("after the verdict about the first: %s", got)
	}
	b.arrive(second, 2)
	b.answers(relevant)
	b.deliver(id, 1)
	if got := b.pictures(id); got != "relevant relevant" {
		t.Errorf("pictures: %s", got)
	}
}

// The picture is swapped for one that has arrived: the same delivery judges that one.
func TestASwappedPictureIsJudgedAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.report(-8.55, 125.57)
	first := b.attach(id, "processed", 1)
	second := b.attach(id, "processed", 2)
	b.exec(`UPDATE report_images SET deleted_at = now() WHERE id = $1`, second)
	b.meanwhile(fmt.Sprintf(`version = version + 1; UPDATE report_images SET deleted_at = CASE id WHEN '%s' THEN now() END`, first))
	b.answers(relevant, irrelevant)
	b.deliver(id, 1)
	if got := b.state(id); got != rejected {
		t.Errorf("%s, want %s", got, rejected)
	}
	if got := one[string](b, `SELECT verdict FROM report_images WHERE id = $1`, first); got != "awaited" {
		t.Errorf("the removed picture has the verdict %s", got)
	}
}

func TestAllPicturesAreJudgedTogether(t *testing.T) {
	t.Parallel()
	const unsure = `{"is_relevant": false, "confidence": 0.5}`
	const worse = `{"is_relevant": true, "confidence": 0.9, "severity_score": 9, "title": "Bridge gone"}`
	cases := []struct {
		name     string
		answers  []string
		want     string // status, AI status, severity
		pictures string
	}{
		{"both relevant: the worse damage counts", []string{relevant, worse}, "verified completed critical", "relevant relevant"},
		{"one irrelevant", []string{irrelevant, relevant}, "verified completed high", "irrelevant relevant"},
		{"one unsure: a person looks at it", []string{relevant, unsure}, "verified needs_review high", "relevant unsure"},
		{"both irrelevant", []string{irrelevant, irrelevant}, "rejected rejected medium", "irrelevant irrelevant"},
		{"irrelevant and unsure", []string{irrelevant, unsure}, "pending needs_review medium", "irrelevant unsure"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			id := b.report(-8.55, 125.57)
			b.attach(id, "processed", 1)
			second := b.attach(id, "issued", 2)
			if b.deliver(id, 1); len(b.cloud.Bedrock.Calls()) != 0 {
				t.Error("a report is judged while a picture is on its way")
			}
			b.arrive(second, 2)
			b.answers(c.answers...)
			for range 2 {
				if b.deliver(id, 1) {
					t.Fatal("the message returned to the queue")
				}
			}
			if got := one[string](b, `SELECT concat_ws(' ', status, ai_status, severity) FROM reports WHERE id = $1`, id); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			if got := b.pictures(id); got != c.pictures {
				t.Errorf("pictures %s, want %s", got, c.pictures)
			}
			if n := b.calls(stageVerdict); n != 2 {
				t.Errorf("%d verdicts about two pictures", n)
			}
			b.requireTold(id, c.want[:8] != "rejected" && strings.Contains(c.pictures, "irrelevant"))
			if n := b.cloud.Bedrock.Scripted(); n != 0 {
				t.Errorf("%d scripted answers were never asked for", n)
			}
			b.requireLedger(id)
		})
	}
}

// recorded gives a picture its hash, with an event of the report, as the images worker does.
func (b *bundle) recorded(id, picture uuid.UUID) {
	b.t.Helper()
	b.exec(`UPDATE uploads SET display_sha256 = sha256(id::text::bytea) WHERE id = (SELECT upload_id FROM report_images WHERE id = $1)`, picture)
	if err := b.kit.Outbox.Do(b.t.Context(), func(tx *outbox.Tx) error { return ledger.Amend(b.t.Context(), tx, id) }); err != nil {
		b.t.Fatal(err)
	}
}

// A picture that comes to a verified report waits for a verdict of its own, which changes neither status nor severity. So does
// one of a dispute; who disputed is not told of an irrelevant one.
func TestAPictureAfterTheVerdictIsJudged(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, kind, answer, want, picture string
	}{
		{"relevant", "evidence", `{"is_relevant": true, "confidence": 0.9, "severity_score": 10}`, "verified completed high", "relevant"},
		{"irrelevant", "evidence", irrelevant, "verified completed high", "irrelevant"},
		{"unsure", "evidence", `{"is_relevant": false, "confidence": 0.5}`, "verified needs_review high", "unsure"},
		{"relevant dispute", "dispute", relevant, "verified completed high", "relevant"},
		{"irrelevant dispute", "dispute", irrelevant, "verified completed high", "irrelevant"},
		{"unsure dispute", "dispute", `{"is_relevant": false, "confidence": 0.5}`, "verified needs_review high", "unsure"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			id := b.report(-8.55, 125.57)
			b.attach(id, "processed", 1)
			b.answers(relevant)
			b.deliver(id, 1)
			version := one[int](b, `SELECT version FROM reports WHERE id = $1`, id)
			late := b.attach(id, "processed", 2)
			b.exec(`UPDATE report_images SET kind = $2 WHERE id = $1`, late, c.kind)
			b.recorded(id, late)
			b.answers(c.answer)
			for range 2 {
				b.deliver(id, 1)
			}
			if got := one[string](b, `SELECT concat_ws(' ', status, ai_status, severity) FROM reports WHERE id = $1`, id); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			if got := b.pictures(id); got != "relevant "+c.picture {
				t.Errorf("pictures %s", got)
			}
			if got := one[int](b, `SELECT version FROM reports WHERE id = $1`, id); got != version+1 {
				t.Errorf("version %d after %d: caches would keep the report as it was", got, version)
			}
			b.requireTold(id, c.picture == "irrelevant" && c.kind == "evidence")
			b.requireLedger(id)
		})
	}
}

// What no model can judge waits for a person, also on a report that has a verdict.
func TestALatePictureThatNobodyCanJudgeWaitsForAPerson(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.report(-8.55, 125.57)
	b.exec(`UPDATE reports SET status = 'verified', ai_status = 'completed'`)
	b.attach(id, "processed", 1)
	b.exec(`UPDATE report_images SET kind = 'dispute' WHERE id = $1`, b.attach(id, "processed", 2))
	if err := b.faults.Add(faults.Fault{Service: "bedrock", Mode: faults.Throttle, Count: faults.Forever}); err != nil {
		t.Fatal(err)
	}
	b.deliver(id, 1)
	if got := b.pictures(id); got != "awaited awaited" {
		t.Errorf("before the last delivery: %s", got)
	}
	b.deliver(id, catalog.MaxReceives)
	if got := b.pictures(id) + one[string](b, `SELECT ' ' || status || ' ' || ai_status FROM reports`); got != "unsure unsure verified needs_review" {
		t.Errorf("%s", got)
	}
}

// Words that change while the model is asked are not published by the verdict about the old ones.
func TestAVerdictAboutOtherWordsDoesNotCount(t *testing.T) {
	t.Parallel()
	for _, change := range []string{`title = 'Call 77123456'`, `description = 'Call 77123456'`, `issue_type = 'bridge'`} {
		b := setup(t)
		id := b.report(-8.55, 125.57)
		b.attach(id, "processed", 1)
		b.meanwhile(change)
		b.answers(relevant, `{"is_relevant": true, "confidence": 0.9, "severity_score": 2}`)
		if b.deliver(id, 1) {
			t.Fatal("the message returned to the queue")
		}
		calls := b.cloud.Bedrock.Calls()
		last := ""
		for _, call := range calls {
			if strings.Contains(call.Text, "Citizen's words") {
				last = call.Text
			}
		}
		_, value, _ := strings.Cut(change, "'")
		if !strings.Contains(last, strings.Trim(value, "'")) {
			t.Errorf("%s: the model judged %s", change, last)
		}
		if n := b.calls(stageVerdict); n != 1 {
			t.Errorf("%s: %d verdicts", change, n)
		}
	}
}

// requireTold fails the test unless the reporter was told, once, that a picture shows no problem; or never, for told false.
func (b *bundle) requireTold(id uuid.UUID, told bool) {
	b.t.Helper()
	n := one[int](b, `SELECT count(*) FROM notifications WHERE report_id = $1 AND type = 'report_edited' AND params ->> 'variant' = 'picture_irrelevant'`, id)
	if (n == 1) != told || n > 1 {
		b.t.Errorf("told %d times of an irrelevant picture, want %v", n, told)
	}
}
