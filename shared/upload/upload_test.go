package upload_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/upload"
)

func TestADirectUploadHasAnHourAndItsPictureAWeek(t *testing.T) {
	t.Parallel()
	db, owner := testdb.Pool(t), database.NewID()
	if _, err := db.Exec(t.Context(), `INSERT INTO users (id, email) VALUES ($1, 'ana@example.tl')`, owner); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.LoadAWS(t.Context(), map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s"})
	if err != nil {
		t.Fatal(err)
	}
	media, now := storage.Config{Bucket: "media"}, timestamp.NewManual(time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC))
	desk := upload.NewUploads(db, storage.New(cfg, media), storage.NewLinks(cfg, media, now), now)
	issued, err := desk.Issue(t.Context(), owner, upload.Intent{ContentType: "image/jpeg", SizeBytes: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if want := now.Now().Add(7 * 24 * time.Hour); !issued.ExpiresAt.Equal(want) {
		t.Errorf("it expires at %s, want %s", issued.ExpiresAt, want)
	}
	address, err := url.Parse(issued.Upload.URL)
	if err != nil {
		t.Fatal(err)
	}
	if got := address.Query().Get("X-Amz-Expires"); got != "3600" {
		t.Errorf("the address works for %s seconds, want 3600", got)
	}
}
