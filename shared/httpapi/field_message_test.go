package httpapi_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// valuesSample has a parameter of each type that operations take.
type valuesSample struct{}

func (valuesSample) Name() string { return "sample" }

func (valuesSample) Register(a *httpapi.API) {
	o := httpapi.Operation{Operation: huma.Operation{Method: http.MethodGet, Path: "/api/v1/admin/values/{id}"}, Access: httpapi.Public}
	httpapi.Register(a, o, func(_ context.Context, in *struct {
		ID     uuid.UUID      `path:"id" format:"uuid"`
		N      int            `query:"n"`
		Share  float64        `query:"share"`
		On     bool           `query:"on"`
		Since  time.Time      `query:"since"`
		At     timestamp.Time `query:"at"`
		Day    timestamp.Date `query:"day"`
		Counts []int          `query:"counts"`
		Word   string         `query:"word"`
	}) (*text, error) {
		return &text{}, nil
	})
}

// A reader of Tetum gets no words of a parser: each value of a query or a path that cannot be read has a text in three languages.
func TestFaultsOfParametersAreTranslated(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(httpapi.New(httpapi.Deps{Clock: timestamp.System{}, Log: slog.New(slog.DiscardHandler)}, valuesSample{}))
	t.Cleanup(server.Close)
	const id = "/api/v1/admin/values/0190a5c0-0000-7000-8000-000000000001"
	for _, c := range []struct{ target, field, en, tet string }{
		{"/api/v1/admin/values/x", "id", "expected a UUID", "tenke UUID ida"},
		{"/api/v1/admin/values/0190a5c0-0000-7000-8000-00000000000g", "id", "expected a UUID", "tenke UUID ida"},
		{id + "?n=x", "n", "expected integer", "tenke númeru tomak ida"},
		{id + "?counts=1,x", "counts", "expected integer", "tenke númeru tomak ida"},
		{id + "?share=x", "share", "expected number", "tenke númeru ida"},
		{id + "?on=x", "on", "expected boolean", "tenke true ka false"},
		{id + "?since=x", "since", "expected string to be RFC 3339 date-time", "tenke data ho oras RFC 3339"},
		{id + "?at=x", "at", "expected string to be RFC 3339 date-time", "tenke data ho oras RFC 3339"},
		{id + "?day=x", "day", "expected YYYY-MM-DD or an RFC 3339 date-time", "tenke TTTT-FF-LL ka data ho oras RFC 3339"},
		{id + "?word=a&word=b", "word", "sent more than once", "haruka liu dala ida"},
		{id + "?counts=1&counts=2", "counts", "sent more than once", "haruka liu dala ida"}, // of a list too the first alone counts
		{id + "?n=1&n=1", "n", "sent more than once", "haruka liu dala ida"},
	} {
		for language, want := range map[string]string{"en": c.en, "tet": c.tet} {
			request, err := http.NewRequest(http.MethodGet, server.URL+c.target, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Accept-Language", language)
			answer, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			var fault struct {
				Errors []struct{ Field, Message string }
			}
			err = json.NewDecoder(answer.Body).Decode(&fault)
			answer.Body.Close()
			if err != nil || answer.StatusCode != 422 || len(fault.Errors) != 1 || fault.Errors[0].Field != c.field || fault.Errors[0].Message != want {
				t.Errorf("%s in %s: %d %+v %v, want %q", c.target, language, answer.StatusCode, fault, err, want)
			}
		}
	}
}
