package reportwrite_test

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportwrite"
)

// picture gives a report a picture in a state of its upload.
func (b *bundle) picture(id uuid.UUID, kind, state string) uuid.UUID {
	b.t.Helper()
	upload, image := database.NewID(), database.NewID()
	b.exec(`INSERT INTO uploads (id, user_id, s3_key, content_type, size_bytes, state, expires_at) VALUES ($1, $2, gen_random_uuid()::text, 'image/jpeg', 5, $3, now() + interval '1 day')`,
		upload, b.author, state)
	b.exec(`INSERT INTO report_images (id, report_id, upload_id, kind) VALUES ($1, $2, $3, $4)`, image, id, upload, kind)
	return image
}

// fieldOf is the member that a 422 names; "" for another result.
func fieldOf(err error) string {
	var p *problem.Error
	if !errors.As(err, &p) || p.Kind != problem.Invalid || len(p.Fields) != 1 {
		return ""
	}
	return p.Fields[0].Name
}

func TestFixedTakesANoteOrAPictureOfTheRepair(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, tc := range []struct {
		name, kind, state, set, note string
		needed                       bool   // by the setting
		field                        string // that is missing; "" for a move
	}{
		{name: "a note", note: "Filled"},
		{name: "a picture", kind: "resolution", state: "processed"},
		{name: "nothing", field: "note"},
		{name: "spaces", note: "  ", field: "note"},
		{name: "a picture of the problem", kind: "evidence", state: "processed", field: "note"},
		{name: "a picture that is not processed", kind: "resolution", state: "stored", field: "note"},
		{name: "a removed picture", kind: "resolution", state: "processed", set: "deleted_at = now()", field: "note"},
		{name: "a hidden picture", kind: "resolution", state: "processed", set: "hidden = 'moderator'", field: "note"},
		{name: "a note where a picture is needed", note: "Filled", needed: true, field: "images"},
		{name: "a picture where it is needed", kind: "resolution", state: "processed", needed: true},
	} {
		value := `{"fixed_needs_picture": ["bridge"]}`
		if tc.needed {
			value = `{"fixed_needs_picture": ["bridge", "pothole"]}`
		}
		b.exec(`INSERT INTO app_settings (key, value) VALUES ('settings', $1::text::jsonb) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, value)
		for _, kind := range []report.ActorKind{report.ActorOfficial, report.ActorAdmin} {
			id := b.report(report.InProgress)
			if tc.kind != "" {
				image := b.picture(id, tc.kind, tc.state)
				if tc.set != "" {
					b.exec(`UPDATE report_images SET `+tc.set+` WHERE id = $1`, image)
				}
			}
			_, err := b.move(reportwrite.Move{Report: report.AboutID(id), To: report.Fixed, By: b.actor(kind), Note: tc.note})
			switch {
			case tc.field == "" && err != nil:
				t.Errorf("%s, %s: %v", tc.name, kind, err)
			case tc.field != "" && (fieldOf(err) != tc.field):
				t.Errorf("%s, %s: got %v, want a 422 that names %s", tc.name, kind, err, tc.field)
			}
		}
	}
}

// The picture of a repair that was reopened proves nothing about the next repair.
func TestAPictureOfAnEarlierRepairDoesNotCount(t *testing.T) {
	t.Parallel()
	b := setup(t)
	official := b.actor(report.ActorOfficial)
	id := b.report(report.InProgress)
	b.picture(id, "resolution", "processed")
	move := func(to report.Status, note string) error {
		_, err := b.move(reportwrite.Move{Report: report.AboutID(id), To: to, By: official, Note: note})
		return err
	}
	for _, m := range [][2]string{{"fixed", ""}, {"in_progress", "It broke again"}} {
		if err := move(report.Status(m[0]), m[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := move(report.Fixed, ""); kindOf(err) != problem.Invalid {
		t.Errorf("the old picture: got %v, want a 422", err)
	}
	b.picture(id, "resolution", "processed")
	if err := move(report.Fixed, ""); err != nil {
		t.Errorf("a new picture: %v", err)
	}
}
