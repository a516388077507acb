package reports

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/upload"
)

// createRoute is POST /reports without the statements of the database.
type createRoute struct {
	seen func(CreateInput)
}

// Name implements httpapi.Group.
func (createRoute) Name() string { return "createRoute" }

// Register implements httpapi.Group.
func (d createRoute) Register(api *httpapi.API) {
	op := httpapi.Operation{Operation: huma.Operation{Method: http.MethodPost, Path: "/reports", DefaultStatus: http.StatusNoContent},
		Access: httpapi.Public, MaxBody: upload.MaxBody, Aliases: createAliases(), Lenient: createLenient(), Multipart: upload.Form(createTexts()...)}
	upload.Describe(&op.Operation, "Form", "")
	httpapi.Register(api, op, func(_ context.Context, in *createReportInput) (*struct{}, error) {
		f, err := in.Body.input(testContext())
		if err == nil {
			d.seen(f)
		}
		return nil, err
	})
}

// testContext reads requests at testNow, from a phone whose clock is not known.
func testContext() readContext { return readContext{now: testNow(), area: report.TimorLeste()} }

func testNow() time.Time { return time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC) }

// FuzzCreateRequest: any body, JSON or form, is understood within what the table takes,
// or refused as the sender's fault with a document. What is understood alone is
// understood the same in a batch.
func FuzzCreateRequest(f *testing.F) {
	const plain, form = "application/json", "multipart/form-data; boundary=b"
	for _, seed := range []string{
		`{"issue_type":"pothole","latitude":-8.5569,"longitude":125.5603,"title":"Hole","client_id":"018f6f6e-1111-7000-8000-000000000001"}`,
		`{"type":"Broken Street-Light","lat":-8.55,"lng":125.6,"title":null,"severity":"terrible","device_info":{"os":"android"},"captured_at":null}`,
		`{"category":"Lubuk besar","latitude":"-8.5","longitude":"125.5"}`, `{"issue_type":"x","latitude":1e400,"longitude":0}`,
		`{"issue_type":"pothole","lat":-8,"lon":125,"images":[{"upload_id":"018f6f6e-1111-7000-8000-000000000001"},{"s3_key":"originals/x"}],"captured_at":"2026-11-20T08:30:00.1234567"}`,
		`{"issue_type":"pothole","latitude":-8,"longitude":125,"title":"a\u0000b\ud800","device_info":"\u0000","captured_at":"9999-12-31T23:59:59Z"}`,
		`{"issue_type":"pothole","latitude":-8,"longitude":125,"captured_at":"0000-01-01T00:00:00+23:59","is_anonymous":true,"s3_keys":["renditions/018f6f6e-1111-7000-8000-000000000001/display.jpg"]}`,
		`[]`, `null`, ``, `{`, `"x"`, `{"issue_type":{},"latitude":[],"longitude":true}`, strings.Repeat(`{"a":`, 500),
	} {
		f.Add(plain, []byte(seed))
	}
	f.Add(form, []byte("--b\r\nContent-Disposition: form-data; name=\"latitude\"\r\n\r\n-8.5\r\n--b\r\nContent-Disposition: form-data; name=\"longitude\"\r\n\r\n125.5\r\n"+
		"--b\r\nContent-Disposition: form-data; name=\"report_type\"\r\n\r\nflood\r\n--b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\n123\r\n--b--\r\n"))
	f.Add(form, []byte("--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a\"\r\n\r\nx\r\n--b--\r\n"))
	f.Add("application/x-www-form-urlencoded", []byte("a=b"))
	f.Add("multipart/form-data", []byte("--b"))
	var understood *CreateInput
	items := newRequestReader()
	service := httpapi.New(httpapi.Deps{Clock: timestamp.System{}, Log: slog.New(slog.DiscardHandler)}, createRoute{func(got CreateInput) { understood = &got }})
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		understood = nil
		r := httptest.NewRequest(http.MethodPost, "/reports", bytes.NewReader(body))
		r.Header["Content-Type"] = []string{contentType}
		w := httptest.NewRecorder()
		service.ServeHTTP(w, r)
		switch {
		case w.Code == http.StatusNoContent && understood != nil:
			checkCreateInput(t, *understood)
		case w.Code < 400 || w.Code > 499:
			t.Fatalf("status %d: %s", w.Code, w.Body)
		default:
			var d struct{ Code, Detail string }
			if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil || d.Code == "" || d.Detail == "" {
				t.Fatalf("status %d without a document: %s", w.Code, w.Body)
			}
		}
		sameInABatch(t, items, contentType, body, understood)
	})
}

// sameInABatch reads the body as an item of a batch.
func sameInABatch(t *testing.T, items *requestReader, contentType string, body []byte, alone *CreateInput) {
	t.Helper()
	if contentType != "application/json" || !json.Valid(body) {
		return
	}
	request, _, err := items.read(t.Context(), body)
	if err == nil {
		var f CreateInput
		if f, err = request.input(testContext()); err == nil {
			checkCreateInput(t, f)
			if alone != nil && alone.ContentHash != f.ContentHash {
				t.Errorf("%+v alone, %+v in a batch", *alone, f)
			}
		}
	}
	if alone != nil && err != nil {
		t.Errorf("understood alone, and in a batch %v", err)
	}
}

// checkCreateInput checks that the values that were read fit the columns in which they are stored.
func checkCreateInput(t *testing.T, f CreateInput) {
	t.Helper()
	if !report.TimorLeste().Has(f.Latitude, f.Longitude) || !slices.Contains(report.IssueTypes(), f.IssueType) {
		t.Errorf("%+v", f)
	}
	texts := []*string{&f.Title, &f.Description, f.IssueTypeRaw}
	for _, part := range append(texts, f.Address.Address, f.Address.Street, f.Address.Suco, f.Address.District, f.Address.Municipality) {
		if part != nil && (!utf8.ValidString(*part) || strings.ContainsRune(*part, 0) || utf8.RuneCountInString(*part) > 2000) {
			t.Errorf("text %q", *part)
		}
	}
	if f.Accuracy != nil && !(*f.Accuracy >= 0 && *f.Accuracy < 1e6) {
		t.Errorf("accuracy %v", *f.Accuracy)
	}
	if f.CapturedAt != nil && (f.CapturedAt.After(testNow().Add(maxAhead)) || f.CapturedAt.Before(firstCapture())) {
		t.Errorf("captured at %v", f.CapturedAt)
	}
	if len(f.DeviceInfo) > 6*maxDeviceInfo || f.DeviceInfo != nil && (!json.Valid(f.DeviceInfo) || bytes.Contains(f.DeviceInfo, []byte(`\u0000`))) {
		t.Errorf("device info %q", f.DeviceInfo)
	}
}
