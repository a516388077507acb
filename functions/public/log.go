package public

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/translog"
)

// Media types of the log: c2sp.org/tlog-tiles.
const (
	mediaNote = "text/plain; charset=utf-8"
	mediaTile = "application/octet-stream"
)

// maxLogFile is the largest file of the log that is served, in bytes. A full bundle has at most 262,656.
const maxLogFile = 1 << 20

type logConfig struct {
	Storage storage.LogConfig
	// Origin is the name of the log. It never changes.
	Origin    string `env:"LOG_ORIGIN,required,notEmpty"`
	Witnesses string `env:"LOG_WITNESSES"` // VKEY=URL, with commas between them
}

// publicLog has the files of the log, and what its readers have to know.
type publicLog struct {
	files     translog.Reader
	origin    string
	witnesses []string // verifier keys
}

func newPublicLog(kit *service.Kit, c logConfig) (publicLog, error) {
	files, err := storage.NewLog(kit.AWS, c.Storage, kit.Clock)
	if err != nil {
		return publicLog{}, err
	}
	witnesses, err := translog.ParseWitnesses(c.Witnesses)
	if err != nil {
		return publicLog{}, fmt.Errorf("LOG_WITNESSES: %w", err)
	}
	l := publicLog{files: files, origin: c.Origin, witnesses: make([]string, len(witnesses))}
	for i, w := range witnesses {
		l.witnesses[i] = w.VKey
	}
	return l, nil
}

func (p *Public) registerLog(a *httpapi.API) {
	checkpoint := read("/log/checkpoint", "The newest checkpoint of the public log",
		"A signed note with the origin of the log, its size and its root (c2sp.org/tlog-checkpoint), and the cosignatures of witnesses. "+
			"The files beside it are those of c2sp.org/tlog-tiles: any client for such logs reads this one with /log as its prefix.")
	checkpoint.Cache = httpapi.Brief
	content(&checkpoint, "Signed note", "text/plain")
	httpapi.Register(a, checkpoint.WithProblems(errNotPublished), p.checkpoint)

	tile := read("/log/tile/{path}", "A tile or a bundle of entries of the public log",
		"path is {L}/{N} or {L}/{N}.p/{W} for hashes, entries/{N} or entries/{N}.p/{W} for entries, as in c2sp.org/tlog-tiles: N is in groups of "+
			"three digits, each but the last after an x, such as x001/x234/067. The slashes of path stay slashes. A file never changes.")
	tile.Cache, tile.Rest = httpapi.Immutable, true
	content(&tile, "Hashes of 32 bytes each; or entries, each after its length in two bytes, big-endian", mediaTile)
	httpapi.Register(a, tile.WithProblems(errNotFound), p.logTile)

	keys := read("/log/keys", "The keys of the public log",
		"What a verifier has to know beforehand. Keep a copy: it is of use when this site does not answer, or answers something else. "+
			"/docs/guides/log says what the keys sign, and which members each commitment has.")
	keys.Cache = httpapi.Brief
	httpapi.Register(a, keys, p.logKeys)
	p.registerProofs(a)
}

type bytesOutput struct {
	ContentType     string `header:"Content-Type"`
	ContentEncoding string `header:"Content-Encoding"`
	Body            []byte
}

// errNotPublished is the 404 for what the log has not published yet. That takes seconds.
var errNotPublished = problem.New(problem.NotFound, "not_published").After(5 * time.Second)

func (p *Public) checkpoint(ctx context.Context, _ *struct{}) (*bytesOutput, error) {
	data, err := p.log.files.Get(ctx, translog.CheckpointKey, maxLogFile)
	if errors.Is(err, translog.ErrNotFound) {
		return nil, errNotPublished
	}
	if err != nil {
		return nil, logUnavailable(err)
	}
	return &bytesOutput{ContentType: mediaNote, Body: data}, nil
}

// logUnavailable is the 503 for a store that does not answer.
func logUnavailable(err error) error {
	return problem.New(problem.Unavailable, "unavailable").After(5 * time.Second).Because(err)
}

type logTileInput struct {
	Path string `path:"path" maxLength:"60" doc:"Level and place of the tile, or entries and place of the bundle" example:"entries/x001/067.p/5"`
}

func (p *Public) logTile(ctx context.Context, in *logTileInput) (*bytesOutput, error) {
	key := "tile/" + in.Path
	err := translog.CheckKey(key)
	var data []byte
	if err == nil {
		data, err = p.log.file(ctx, key)
	}
	if errors.Is(err, translog.ErrNotFound) {
		return nil, errNotFound
	}
	if err != nil {
		return nil, logUnavailable(err)
	}
	return &bytesOutput{ContentType: mediaTile, Body: data}, nil
}

// file reads a tile or bundle. A partial one is deleted when the full one is there: then it is the beginning of that.
func (l *publicLog) file(ctx context.Context, key string) ([]byte, error) {
	data, err := l.files.Get(ctx, key, maxLogFile)
	full, width, partial := strings.Cut(key, ".p/")
	if !partial || !errors.Is(err, translog.ErrNotFound) {
		return data, err
	}
	if data, err = l.files.Get(ctx, full, maxLogFile); err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(width)
	if err != nil {
		return nil, fmt.Errorf("width of %s: %w", key, err)
	}
	end := n * tlog.HashSize
	if strings.HasPrefix(key, "tile/entries/") {
		end = 0
		for ; n > 0 && len(data) >= end+2; n-- {
			end += 2 + int(binary.BigEndian.Uint16(data[end:]))
		}
	}
	if end > len(data) {
		return nil, fmt.Errorf("%s ends early", full)
	}
	return data[:end], nil
}

type keySetOutput struct{ Body ledger.KeySet }

func (p *Public) logKeys(ctx context.Context, _ *struct{}) (*keySetOutput, error) {
	batch := &database.Batch{}
	keys := ledger.AskKeySet(batch, p.ledger, p.log.origin)
	if err := batch.Send(ctx, p.db); err != nil {
		return nil, fmt.Errorf("read keys of the log: %w", err)
	}
	out := keys.Get()
	out.Witnesses = append(out.Witnesses, p.log.witnesses...)
	return &keySetOutput{*out}, nil
}
