package public

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
	"path"
	"strings"

	"github.com/lafaekstreet/backend/shared/problem"
)

// web has MapLibre GL from npm, compressed with gzip (make assets).
//
//go:embed web
var web embed.FS

// asset is a file of the pages. Its address contains a hash of its content, so a browser may keep it forever.
type asset struct {
	address     string
	contentType string
	body        []byte
	packed      bool // body is gzip
}

// assets are files of the pages by their names.
type assets map[string]asset

// loadAssets reads the files. It does not decompress them: every cold start would wait for it.
func loadAssets() (assets, error) {
	out := make(assets)
	err := fs.WalkDir(web, "web", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, packed := strings.CutSuffix(path.Base(file), ".gz")
		contentType, ok := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}[path.Ext(name)]
		if !ok {
			return nil
		}
		body, err := web.ReadFile(file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		sum := sha256.Sum256(body)
		out[name] = asset{"/map/assets/" + hex.EncodeToString(sum[:6]) + "/" + name, contentType, body, packed}
		return nil
	})
	return out, err
}

type assetInput struct {
	Hash           string `path:"hash" pattern:"^[0-9a-f]{12}$" doc:"Hash of the content"`
	Name           string `path:"name" maxLength:"60"`
	AcceptEncoding string `header:"Accept-Encoding" hidden:"true"`
}

type bytesOutput struct {
	ContentType     string `header:"Content-Type"`
	ContentEncoding string `header:"Content-Encoding"`
	Body            []byte
}

func (p *Public) asset(_ context.Context, in *assetInput) (*bytesOutput, error) {
	a, ok := p.assets[in.Name]
	if !ok || a.address != "/map/assets/"+in.Hash+"/"+in.Name {
		return nil, problem.New(problem.NotFound, "not_found")
	}
	out := &bytesOutput{ContentType: a.contentType, Body: a.body}
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
