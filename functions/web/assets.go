package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/httpapi"
)

// static has the scripts and styles of the pages, and in .gz files libraries from npm (make assets).
//
//go:embed static
var static embed.FS

// assetPrefix begins the addresses of files. A hash follows, so a browser may keep a file forever.
const assetPrefix = "/assets/"

// serviceWorker is the name of the one script that has an address of its own: a browser looks for its newest version there.
const serviceWorker = "service_worker.js"

// asset is a file of the pages.
type asset struct {
	address     string
	contentType string
	body        []byte
	packed      bool // body is gzip
}

// assets are files of the pages by their names. Scripts import each other by relative addresses, so all files of ours have the
// hash of all of them in their addresses. A library has its own hash: it stays in the browser's cache when a page changes.
type assets struct {
	byName map[string]asset
}

// contentTypes are the types of files by the ends of their names.
func contentTypes() map[string]string {
	return map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
}

// loadAssets reads the files. It does not decompress them: the first page of a process would wait for it. It panics at a file whose
// name has no content type, because the program was then built of wrong files.
func loadAssets() *assets {
	out := &assets{byName: make(map[string]asset)}
	ours := sha256.New()
	err := fs.WalkDir(static, "static", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, packed := strings.CutSuffix(path.Base(file), ".gz")
		contentType, ok := contentTypes()[path.Ext(name)]
		if !ok {
			return fmt.Errorf("%s: no content type for this name", file)
		}
		body, err := static.ReadFile(file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if !packed {
			body = withoutComments(body)
		}
		a := asset{contentType: contentType, body: body, packed: packed}
		if packed {
			sum := sha256.Sum256(body)
			a.address = assetPrefix + hex.EncodeToString(sum[:6]) + "/" + name
		} else {
			fmt.Fprintf(ours, "%s %d\n%s", name, len(body), body)
		}
		out.byName[name] = a
		return nil
	})
	if err != nil {
		panic(err)
	}
	hash := hex.EncodeToString(ours.Sum(nil)[:6])
	for name, a := range out.byName {
		if !a.packed {
			a.address = assetPrefix + hash + "/" + name
			out.byName[name] = a
		}
	}
	return out
}

// withoutComments empties the lines of a script or a style that are comments alone: they are a quarter of what a phone would load.
// Every line keeps its number.
func withoutComments(source []byte) []byte {
	out := make([]byte, 0, len(source))
	inside := false // of a comment of several lines
	for line := range bytes.Lines(source) {
		text := bytes.TrimSpace(line)
		starts, ends := bytes.HasPrefix(text, []byte("/*")), bytes.Contains(text, []byte("*/"))
		switch {
		case inside:
			inside = !ends
		case starts && !ends:
			inside = true
		case bytes.HasPrefix(text, []byte("//")), starts && bytes.HasSuffix(text, []byte("*/")):
		default:
			out = append(out, line...)
			continue
		}
		out = append(out, '\n')
	}
	return out
}

func (w *Web) registerAssets(a *httpapi.API) {
	operation := func(path, summary, description string) httpapi.Operation {
		return httpapi.Operation{
			Operation: huma.Operation{Method: http.MethodGet, Path: path, Tags: []string{"pages"}, Summary: summary, Description: description,
				Responses: map[string]*huma.Response{"200": {Description: "The file", Content: binary("text/javascript", "text/css", "image/svg+xml")}}},
			Access: httpapi.Public, Cache: httpapi.Immutable, Limit: admission.LimitView,
		}
	}
	httpapi.Register(a, operation("/assets/{hash}/{name}", "A file of the pages", "The address contains a hash of the content; caches may keep the file forever.").WithProblems(errNotFound), w.asset)
	worker := operation("/report-worker.js", "The service worker of the report form", "It keeps the form and its files, so that a report can be written without a connection.")
	worker.Cache = httpapi.Revalidate
	httpapi.Register(a, worker, w.serviceWorker)
}

type assetInput struct {
	Hash           string `path:"hash" pattern:"^[0-9a-f]{12}$" doc:"Hash of the content"`
	Name           string `path:"name" maxLength:"60"`
	AcceptEncoding string `header:"Accept-Encoding" hidden:"true"`
}

type assetOutput struct {
	ContentType     string `header:"Content-Type"`
	ContentEncoding string `header:"Content-Encoding"`
	Body            []byte
}

func (w *Web) asset(_ context.Context, in *assetInput) (*assetOutput, error) {
	a, ok := w.assets().byName[in.Name]
	if !ok || a.address != assetPrefix+in.Hash+"/"+in.Name {
		return nil, errNotFound
	}
	out := &assetOutput{ContentType: a.contentType, Body: a.body}
	switch {
	case !a.packed:
	case strings.Contains(in.AcceptEncoding, "gzip"):
		out.ContentEncoding = "gzip"
	default:
		z, err := gzip.NewReader(bytes.NewReader(a.body))
		if err != nil {
			return nil, fmt.Errorf("unpack asset: %w", err)
		}
		if out.Body, err = io.ReadAll(z); err != nil {
			return nil, fmt.Errorf("unpack asset: %w", err)
		}
	}
	return out, nil
}

// workerPolicy is the Content-Security-Policy of the service worker: it loads and asks this site alone.
const workerPolicy = "default-src 'none'; script-src 'self'; connect-src 'self'"

type workerOutput struct {
	ContentType string `header:"Content-Type"`
	Policy      string `header:"Content-Security-Policy"`
	Body        []byte
}

// serviceWorker answers with the script of the service worker. The addresses of the files in it change with each deploy, so
// the browser sees a new worker then.
func (w *Web) serviceWorker(context.Context, *struct{}) (*workerOutput, error) {
	a := w.assets().byName[serviceWorker]
	body, err := view{assets: w.assets()}.fill(literal(a.body), nil)
	if err != nil {
		return nil, err
	}
	return &workerOutput{ContentType: a.contentType, Policy: workerPolicy, Body: body}, nil
}
