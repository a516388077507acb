// Package operate runs the commands of operators that need the database, where the database is: in the managed profile nobody
// reaches it from outside. Whoever may call the function migrate may run them.
package operate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/anchor/fsck"
	"github.com/lafaekstreet/backend/functions/geocode/importboundaries"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/telemetry"
)

// Request is one command.
type Request struct {
	// Command is fsck, sql, new-epoch, upload or import. No event of CloudFormation has this member.
	Command string `json:"command"`
	// SQL is the statement of sql.
	SQL string `json:"sql,omitempty"`
	// NoPictures has fsck leave the pictures out.
	NoPictures bool `json:"no_pictures,omitempty"`
	// Size is that of the file of upload, in bytes.
	Size int64 `json:"size,omitempty"`
	// Key is the file of import, as upload named it; Options say what it has.
	Key     string                   `json:"key,omitempty"`
	Options importboundaries.Options `json:"options,omitzero"`
}

// Answer is what a command printed, and how it ended.
type Answer struct {
	// Status is 0 for success, 1 if fsck found something, 2 for a failure.
	Status int    `json:"status"`
	Output string `json:"output"`
	// Upload is the request by which the file of import is sent.
	Upload *Upload `json:"upload,omitempty"`
}

// Upload is where a file goes.
type Upload struct {
	Key     string              `json:"key"`
	URL     string              `json:"url"`
	Headers map[string][]string `json:"headers"`
}

// Prefix begins the keys of the files of import. It is within storage.Imports, whose files a lifecycle rule deletes.
const Prefix = storage.Imports + "operator/"

const (
	contentType = "application/geo+json"
	uploadTime  = 15 * time.Minute
	maxFile     = 200 << 20 // bytes
	// maxOutput is the most that an answer carries, in bytes. Lambda returns 6 MB, and JSON escapes some characters.
	maxOutput = 3 << 20
)

// errFound means that fsck found something.
var errFound = errors.New("fsck found differences")

// Run runs a command. What it did is in the log, without the statement and without its result: who called the function is in
// CloudTrail under the same request id.
func Run(ctx context.Context, env config.Env, r Request) Answer {
	out := &limited{}
	a := Answer{}
	began := time.Now()
	err := run(ctx, env, r, out, &a)
	switch {
	case errors.Is(err, errFound):
		a.Status = 1
	case err != nil:
		a.Status = 2
		_, _ = fmt.Fprintln(out, err)
	}
	a.Output = out.String()
	log := telemetry.NewLogger(os.Stderr, slog.LevelInfo)
	log.InfoContext(ctx, "command of an operator", "command", r.Command, "status", a.Status, "milliseconds", time.Since(began).Milliseconds())
	return a
}

func run(ctx context.Context, env config.Env, r Request, out io.Writer, a *Answer) error {
	switch r.Command {
	case "fsck":
		return check(ctx, env, r, out)
	case "sql":
		return query(ctx, env, r.SQL, out)
	case "new-epoch":
		return newEpoch(ctx, env, out)
	case "upload":
		upload, err := upload(ctx, env, r.Size)
		a.Upload = upload
		return err
	case "import":
		return load(ctx, env, r, out)
	}
	return fmt.Errorf("there is no command %q: fsck, sql, new-epoch, upload, import", r.Command)
}

func check(ctx context.Context, env config.Env, r Request, out io.Writer) error {
	c, db, err := fsck.Open(ctx, env, !r.NoPictures)
	if err != nil {
		return err
	}
	defer db.Close()
	c.Signatures, c.Out = true, out
	result, err := c.Run(ctx)
	if err == nil && result.Found > 0 {
		return errFound
	}
	return err
}

// newEpoch tells the apps that follow changes to begin again: their positions belong to a database that was replaced.
func newEpoch(ctx context.Context, env config.Env, out io.Writer) error {
	db, err := owner(ctx, env)
	if err != nil {
		return err
	}
	defer db.Close()
	const q = `INSERT INTO app_settings (key, value) VALUES ('change_epoch', to_jsonb(now())) ON CONFLICT (key) DO UPDATE SET value = excluded.value`
	if _, err := db.Exec(ctx, q); err != nil {
		return fmt.Errorf("begin a new epoch of changes: %w", err)
	}
	_, err = fmt.Fprintln(out, "apps that follow changes begin again")
	return err
}

func owner(ctx context.Context, env config.Env) (*database.DB, error) {
	c, err := config.Parse[database.Owner](env)
	if err != nil {
		return nil, err
	}
	return c.Open(ctx, 1, time.Minute)
}

func upload(ctx context.Context, env config.Env, size int64) (*Upload, error) {
	if size < 1 || size > maxFile {
		return nil, fmt.Errorf("a file has 1 to %d bytes, not %d", maxFile, size)
	}
	store, err := files(ctx, env)
	if err != nil {
		return nil, err
	}
	key := Prefix + uuid.NewString() + ".geojson"
	signed, err := store.PresignPut(ctx, key, contentType, size, uploadTime)
	if err != nil {
		return nil, err
	}
	return &Upload{Key: key, URL: signed.URL, Headers: signed.Headers}, nil
}

func load(ctx context.Context, env config.Env, r Request, out io.Writer) error {
	c, err := config.Parse[database.Owner](env)
	if err != nil {
		return err
	}
	store, err := files(ctx, env)
	if err != nil {
		return err
	}
	if len(r.Key) <= len(Prefix) || r.Key[:len(Prefix)] != Prefix {
		return fmt.Errorf("the key of a file begins with %s", Prefix)
	}
	file, err := store.Open(ctx, r.Key, maxFile)
	if err != nil {
		return fmt.Errorf("read the file: %w", err)
	}
	defer file.Close()
	n, err := importboundaries.Run(ctx, r.Options, file, c.URL())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%d places of level %s\n", n, r.Options.Level)
	return err
}

func files(ctx context.Context, env config.Env) (*storage.Store, error) {
	aws, err := config.LoadAWS(ctx, env)
	if err != nil {
		return nil, err
	}
	c, err := config.Parse[storage.Config](env)
	if err != nil {
		return nil, err
	}
	return storage.New(aws, c), nil
}

// Handle is Run for the bytes of a request; it is a start.Command. It fails for an event that is no command.
func Handle(ctx context.Context, env config.Env, raw json.RawMessage) (any, error) {
	var r Request
	if err := json.Unmarshal(raw, &r); err != nil || r.Command == "" {
		return nil, errors.New("the event is neither one of CloudFormation nor a command")
	}
	return Run(ctx, env, r), nil
}

// limited keeps the first maxOutput bytes.
type limited struct {
	bytes.Buffer
	left bool // something was left out
}

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	if room := maxOutput - l.Len(); len(p) > room {
		l.left = true
		l.Buffer.Write(p[:room])
		return len(p), nil
	}
	return l.Buffer.Write(p)
}

// String is what was kept.
func (l *limited) String() string {
	if l.left {
		return l.Buffer.String() + "\n… (more was left out)\n"
	}
	return l.Buffer.String()
}
