package settings_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/settings"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

func TestReaderFollowsAChange(t *testing.T) {
	t.Parallel()
	db := testdb.Pool(t)
	now := timestamp.NewManual(time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC))
	reader := settings.NewReader(db, now)
	current := func() settings.Settings {
		t.Helper()
		s, err := reader.Current(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if got := current(); !reflect.DeepEqual(got, settings.Default()) {
		t.Errorf("before anything was set: %+v", got)
	}
	changed := settings.Default()
	changed.EvidenceImages = 3
	batch := &database.Batch{}
	if err := settings.Write(batch, uuid.New(), changed); err != nil {
		t.Fatal(err)
	}
	if err := batch.Send(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if got := current(); got.EvidenceImages != 1 {
		t.Errorf("read anew at once: %d", got.EvidenceImages)
	}
	now.Advance(31 * time.Second)
	if got := current(); !reflect.DeepEqual(got, changed) {
		t.Errorf("after 31 s: %+v", got)
	}
	db.Close()
	now.Advance(time.Minute)
	if got := current(); !reflect.DeepEqual(got, changed) {
		t.Errorf("without a database: %+v", got)
	}
}

func TestUnknownAndMissingMembersAreTolerated(t *testing.T) {
	t.Parallel()
	db := testdb.Pool(t)
	const old = `INSERT INTO app_settings (key, value) VALUES ('settings', '{"evidence_images_max": 2, "gone": true}')`
	if _, err := db.Exec(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	s, err := settings.Read(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	if s.EvidenceImages != 2 || s.ReportsPerHour != 20 {
		t.Errorf("got %+v", s)
	}
}
