// Package firstversion has the state that a system of the first version left, for tests of its upgrade. testdata/README.md
// says what is in it and how it was made.
package firstversion

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/aws"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/storage"
)

//go:embed testdata/*.gz testdata/*.json
var files embed.FS

// bucket is the bucket of pictures.
const bucket = "lafaekstreet-media"

// Held is what people hold after they used the system.
type Held struct {
	Password       string            `json:"password"` // everybody's
	TOTPSecret     string            `json:"totp_secret"`
	MariaRefresh   string            `json:"maria_refresh"`
	Reports        map[string]string `json:"reports"` // what is special about a report: its id
	RepeatedBody   map[string]any    `json:"repeated_body"`
	RepeatedAnswer map[string]any    `json:"repeated_answer"`
	UploadSent     string            `json:"upload_sent"`
}

// Hold returns what people hold.
func Hold(t testing.TB) Held {
	t.Helper()
	var h Held
	if err := json.Unmarshal(read(t, "held.json"), &h); err != nil {
		t.Fatal(err)
	}
	return h
}

// prolong gives sessions and stored answers a new end, counted from now: the state gets older, and tests of it go on.
const prolong = `
UPDATE sessions SET expires_at = now() + interval '1 day';
UPDATE refresh_tokens SET expires_at = now() + interval '1 day';
UPDATE idempotency_keys SET created_at = now()`

// Database returns the address of a new database with the state. Its user owns the database.
func Database(t testing.TB) string {
	t.Helper()
	address := testdb.EmptyURL(t)
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.PgConn().Exec(t.Context(), string(read(t, "state.sql.gz"))+"; RESET search_path; "+prolong).ReadAll()
	if err = errors.Join(err, conn.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	return address
}

// Place writes what the stand-ins and the local system keep into their directory.
func Place(t testing.TB, dir string) {
	t.Helper()
	for name, from := range map[string]string{"hedera/ledger.jsonl": "ledger.jsonl.gz", "aws/kms/keys.json": "keys.json", "secrets.json": "secrets.json"} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, read(t, from), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	server, err := aws.Start(aws.Options{Dir: filepath.Join(dir, "aws")})
	if err != nil {
		t.Fatal(err)
	}
	client := s3.NewFromConfig(server.Config(), func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: awssdk.String(bucket)}); err != nil {
		t.Fatal(err)
	}
	store := storage.New(server.Config(), storage.Config{Bucket: bucket, PathStyle: true})
	for all := tar.NewReader(bytes.NewReader(read(t, "objects.tar.gz"))); ; {
		head, err := all.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(all)
		if err == nil {
			err = store.Put(t.Context(), head.Name, "image/jpeg", body)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
}

// read returns a file without its compression.
func read(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := files.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Ext(name) != ".gz" {
		return raw
	}
	packed, err := gzip.NewReader(bytes.NewReader(raw))
	if err == nil {
		raw, err = io.ReadAll(packed)
	}
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
