package public

import (
	"context"
	"crypto/sha256"
	_ "embed" // the page
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"strings"

	"github.com/lafaekstreet/backend/shared/httpapi"
)

// verifyHTML is one file without parts, so that anybody can keep it and open it from a disk. The README has its SHA-256. As
// served, one line differs: that of the keys.
//
//go:embed verify.html
var verifyHTML string

// keysLine is where the page has the keys of the log.
const keysLine = `<textarea id="keys" name="keys" rows="4" spellcheck="false" autocapitalize="off">`

// verifyPolicy is the Content-Security-Policy of /verify: its one script and its one style, by their hashes, and no request.
func verifyPolicy() string {
	return "default-src 'none'; script-src '" + inlineHash("script") + "'; style-src '" + inlineHash("style") +
		"'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// inlineHash is the source that allows the content of the page's only element of this name.
func inlineHash(element string) string {
	_, rest, _ := strings.Cut(verifyHTML, "<"+element+">")
	body, _, _ := strings.Cut(rest, "</"+element+">")
	sum := sha256.Sum256([]byte(body))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

func (p *Public) registerVerifyPage(a *httpapi.API) {
	page := read("/verify", "Check a receipt of the public log",
		"One file that makes no request. It says whether a receipt was honoured: accepted, kept, dropped, differs or unproven. "+
			"The keys of the log are filled in; everything else is pasted by the reader. Languages: tet, pt, en.")
	content(&page, "A web page", "text/html")
	httpapi.Register(a, page, p.verifyPage)
}

type verifyPageOutput struct {
	ContentType string `header:"Content-Type"`
	Policy      string `header:"Content-Security-Policy"`
	Body        []byte
}

// verifyPage answers with the page and the keys of the log.
func (p *Public) verifyPage(ctx context.Context, _ *struct{}) (*verifyPageOutput, error) {
	keys, err := p.logKeys(ctx, nil)
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(keys.Body)
	if err != nil {
		return nil, fmt.Errorf("encode keys: %w", err)
	}
	body := strings.Replace(verifyHTML, keysLine, keysLine+html.EscapeString(string(raw)), 1)
	return &verifyPageOutput{"text/html; charset=utf-8", verifyPolicy(), []byte(body)}, nil
}
