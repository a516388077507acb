package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/warning"
)

// mending is a group with one lenient operation, which answers what it decoded.
type mending struct{}

func (mending) Name() string { return "mending" }

type mended struct {
	Lat    float64 `json:"lat" minimum:"-90" maximum:"90"`
	Kind   string  `json:"kind" enum:"past,plan"`
	Title  string  `json:"title,omitempty" maxLength:"5"`
	Secret *bool   `json:"secret,omitempty"`
	Count  *int    `json:"count,omitempty" minimum:"0" maximum:"9"`
	Size   float64 `json:"size,omitempty"`
	ID     *string `json:"id,omitempty" format:"uuid"`
	Refs   []struct {
		ID   *string `json:"id,omitempty" format:"uuid"`
		Note string  `json:"note,omitempty"`
	} `json:"refs,omitempty" maxItems:"2"`
	Keys  []string `json:"keys" required:"false"`
	Extra *struct {
		At []int `json:"at" minItems:"2"`
	} `json:"extra,omitempty"`
	Asked *int `json:"asked,omitempty"`
	Free  any  `json:"free,omitempty"`
	Place struct {
		Type string `json:"type,omitempty" enum:"Point"`
		At   []int  `json:"at" minItems:"2" maxItems:"2"`
	} `json:"place"`
}

type mendedOutput struct {
	Body struct {
		Got      mended            `json:"got"`
		Warnings []warning.Warning `json:"warnings,omitempty"`
	}
}

func (mending) Register(a *httpapi.API) {
	op := httpapi.Operation{Operation: huma.Operation{Method: http.MethodPost, Path: "/mended"}, Access: httpapi.Public,
		Aliases: map[string]string{"latitude": "lat"},
		Lenient: &httpapi.Lenient{Strict: []string{"asked"}, Closed: map[string]any{"secret": true}, NotTaken: []string{"color"}},
		Multipart: func(ctx context.Context, form *multipart.Reader) (context.Context, map[string]any, [][32]byte, error) {
			members := map[string]any{}
			for {
				part, err := form.NextPart()
				if errors.Is(err, io.EOF) {
					return ctx, members, nil, nil
				}
				if err != nil {
					return ctx, nil, nil, err
				}
				raw, err := io.ReadAll(part)
				if err != nil {
					return ctx, nil, nil, err
				}
				var value any = string(raw)
				if strings.HasPrefix(string(raw), "{") {
					if err := json.Unmarshal(raw, &value); err != nil {
						return ctx, nil, nil, err
					}
				}
				members[part.FormName()] = value
			}
		}}
	httpapi.Register(a, op, func(ctx context.Context, in *struct{ Body mended }) (*mendedOutput, error) {
		out := &mendedOutput{}
		out.Body.Got, out.Body.Warnings = in.Body, warning.FromContext(ctx).List()
		return out, nil
	})
}

func TestLenientReading(t *testing.T) {
	t.Parallel()
	service := httpapi.New(httpapi.Deps{Clock: timestamp.System{}, Log: slog.New(slog.DiscardHandler)}, mending{})
	const needed = `"lat":-8.5,"kind":"plan","place":{"at":[1,2]}`
	post := func(contentType, body string) (int, map[string]any, map[string]string) {
		t.Helper()
		r := httptest.NewRequest(http.MethodPost, "/mended", strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		w := httptest.NewRecorder()
		service.ServeHTTP(w, r)
		var got struct {
			Got      map[string]any
			Warnings []warning.Warning
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		warnings := map[string]string{}
		for _, note := range got.Warnings {
			warnings[note.Field] = string(note.Code)
		}
		return w.Code, got.Got, warnings
	}
	type note = map[string]string
	for sent, want := range map[string]struct {
		member string
		value  any
		warned note
	}{
		`"title":"12345"`:     {"title", "12345", note{}},
		`"title":"ééééééé"`:   {"title", "ééééé", note{"title": "cut"}},
		`"title":17`:          {"title", "17", note{}},
		`"title":[]`:          {"title", nil, note{"title": "unreadable"}},
		`"title":null`:        {"title", nil, note{}},
		`"secret":1`:          {"secret", true, note{}},
		`"secret":"False"`:    {"secret", false, note{}},
		`"secret":0`:          {"secret", false, note{}},
		`"secret":"perhaps"`:  {"secret", true, note{"secret": "counts_closed"}},
		`"secret":{}`:         {"secret", true, note{"secret": "counts_closed"}},
		`"secret":null`:       {"secret", nil, note{}},
		`"count":"5"`:         {"count", 5.0, note{}},
		`"count":5.0`:         {"count", 5.0, note{}},
		`"count":5.5`:         {"count", nil, note{"count": "out_of_range"}},
		`"count":10`:          {"count", nil, note{"count": "out_of_range"}},
		`"count":"many"`:      {"count", nil, note{"count": "unreadable"}},
		`"size":"-8,25"`:      {"size", -8.25, note{}},
		`"size":"\u22128.25"`: {"size", -8.25, note{}},
		`"size":"NaN"`:        {"size", nil, note{"size": "unreadable"}},
		`"size":"1e999"`:      {"size", nil, note{"size": "unreadable"}},
		`"size":1e999`:        {"size", nil, note{"size": "out_of_range"}},
		`"id":17`:             {"id", nil, note{"id": "unreadable"}},
		`"id":" "`:            {"id", nil, note{}},
		`"id":"{018F6F6E-1111-7000-8000-000000000001}"`:      {"id", "018f6f6e-1111-7000-8000-000000000001", note{}},
		`"refs":[{"id":"x"},{"note":"a"}]`:                   {"refs", []any{map[string]any{"note": "a"}}, note{"refs[0].id": "unreadable"}},
		`"refs":[7,null,{"note":"a"}]`:                       {"refs", []any{map[string]any{"note": "a"}}, note{"refs[0]": "unreadable"}},
		`"refs":{"note":"a"}`:                                {"refs", []any{map[string]any{"note": "a"}}, note{}},
		`"refs":[{"note":"a"},{"note":"b"},{"note":"c"}]`:    {"refs", []any{map[string]any{"note": "a"}, map[string]any{"note": "b"}}, note{"refs": "too_many"}},
		`"refs":[{"note":"a"},{"note":"b"},null]`:            {"refs", []any{map[string]any{"note": "a"}, map[string]any{"note": "b"}}, note{}},
		`"extra":{"at":[1]}`:                                 {"extra", nil, note{"extra": "unreadable"}},
		`"keys":[]`:                                          {"keys", []any{}, note{}},
		`"keys":"a"`:                                         {"keys", []any{"a"}, note{}},
		`"keys":[{}]`:                                        {"keys", nil, note{"keys[0]": "unreadable"}},
		`"color":"red"`:                                      {"color", nil, note{"color": "not_taken"}},
		`"color":null,"unknown":{}`:                          {"unknown", nil, note{}},
		`"free":{"a":[1e999]},"unknown":{"b":1e999}`:         {"free", nil, note{"free": "unreadable"}},
		`"free":{"a":[1]}`:                                   {"free", map[string]any{"a": []any{1.0}}, note{}},
		`"place":{"at":[1,2],"type":"Line"}`:                 {"size", nil, note{"place.type": "unreadable"}},
		`"Count":"x","unknown":1`:                            {"count", nil, note{"count": "unreadable"}},
		`"title":"x","place":{"at":[1,2],"type":"point"}`:    {"title", "x", note{}},
		`"size":"1","title":{},"count":{},"keys":{},"id":{}`: {"size", 1.0, note{"title": "unreadable", "count": "unreadable", "keys[0]": "unreadable", "id": "unreadable"}},
	} {
		status, got, warned := post("application/json", `{`+needed+`,`+sent+`}`)
		if status != http.StatusOK || !reflect.DeepEqual(got[want.member], want.value) || !reflect.DeepEqual(warned, want.warned) {
			t.Errorf("%s: %d, %s is %v, warned of %v", sent, status, want.member, got[want.member], warned)
		}
	}
	for _, refused := range []string{`{}`, `[]`, `null`, `{"lat":"north","kind":"plan","place":{"at":[1,2]}}`, `{"lat":91,"kind":"plan","place":{"at":[1,2]}}`,
		`{"lat":null,"kind":"plan","place":{"at":[1,2]}}`, `{"lat":1,"kind":"past future","place":{"at":[1,2]}}`, `{"lat":1,"kind":"plan","place":{"at":[1]}}`,
		`{"lat":1,"kind":"plan","place":{"at":[1,2,3]}}`, `{"lat":1,"kind":"plan","place":"here"}`, `{` + needed + `,"asked":"x"}`} {
		if status, _, _ := post("application/json", refused); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", refused, status)
		}
	}
	form := ""
	for name, value := range map[string]string{"latitude": "-8,5", "kind": "Plan", "place": `{"at":[1,2]}`, "count": "x", "secret": "True"} {
		form += "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
	}
	status, got, warned := post("multipart/form-data; boundary=b", form+"--b--\r\n")
	if status != http.StatusOK || got["lat"] != -8.5 || got["secret"] != true || !reflect.DeepEqual(warned, note{"count": "unreadable"}) {
		t.Errorf("form: %d %v %v", status, got, warned)
	}
}

func TestBodiesAsProgramsSendThem(t *testing.T) {
	t.Parallel()
	s, _ := serve(t)
	const plain = `{"latitude":-8.5,"longitude":125.5}`
	for name, body := range map[string]string{"byte order mark": "\xef\xbb\xbf" + plain, "zero bytes after it": plain + "\x00\x00", "decimal text": `{"latitude":"-8,5","longitude":"125.5"}`} {
		if got := send(t, s, http.MethodPost, "/places", "application/json", body); got.status != http.StatusOK || strings.TrimSpace(got.body) != plain {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	got := send(t, s, http.MethodPost, "/places", "application/json", plain, "Content-Encoding", "gzip")
	if got.status != http.StatusUnsupportedMediaType || got.header.Get("Accept-Encoding") != "identity" || !strings.Contains(got.body, "unsupported_encoding") {
		t.Errorf("gzip: %d %v %s", got.status, got.header, got.body)
	}
	if got := send(t, s, http.MethodPost, "/places", "application/json", plain, "Content-Encoding", "Identity"); got.status != http.StatusOK {
		t.Errorf("identity: %d %s", got.status, got.body)
	}
}

// Null and empty text count as absent, also under the first name of a member: the value under another name counts.
func TestAnAliasCountsWhereTheFirstNameHasNoValue(t *testing.T) {
	t.Parallel()
	service := httpapi.New(httpapi.Deps{Clock: timestamp.System{}, Log: slog.New(slog.DiscardHandler)}, mending{})
	for sent, want := range map[string]float64{
		`"lat":null,"latitude":-8.5`: -8.5, `"latitude":-8.5,"lat":null`: -8.5, `"lat":"","latitude":-8.5`: -8.5, `"lat":" ","latitude":"-8,5"`: -8.5,
		`"lat":0,"latitude":-8.5`: 0, `"lat":1,"latitude":null`: 1, `"Lat":-8.5,"lat":null`: -8.5, `"LAT":null,"Lat":-8.5`: -8.5,
	} {
		r := httptest.NewRequest(http.MethodPost, "/mended", strings.NewReader(`{"kind":"plan","place":{"at":[1,2]},`+sent+`}`))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		service.ServeHTTP(w, r)
		var got struct{ Got mended }
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK || got.Got.Lat != want {
			t.Errorf("%s: %d %s", sent, w.Code, w.Body)
		}
	}
	members := map[string]any{"issue_type": nil, "category": nil, "type": "flood"}
	httpapi.Rename(members, map[string]string{"category": "issue_type", "type": "issue_type"})
	if members["issue_type"] != "flood" {
		t.Errorf("got %v", members)
	}
}
