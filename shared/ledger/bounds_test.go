package ledger

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

func TestAnAnswerOfTheMirrorOfOverAMegabyteIsRefused(t *testing.T) {
	t.Parallel()
	const account = `{"key":null,"balance":{"balance":1}}`
	for name, c := range map[string]struct {
		body string
		want error
	}{
		"short":           {account, nil},
		"over a megabyte": {strings.Repeat(" ", 1<<20) + account, ErrMirrorUnavailable},
	} {
		m := &Mirror{base: "http://mirror", http: &http.Client{Transport: says{http.StatusOK, []byte(c.body)}}}
		if _, err := m.Account(t.Context(), "0.0.2"); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}
