package open311

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/upload"
	"github.com/lafaekstreet/backend/shared/warning"
)

// FuzzCreateForm: any body is refused as the fault of its sender, or understood within what the tables take.
func FuzzCreateForm(f *testing.F) {
	const form = "multipart/form-data; boundary=b"
	part := func(head, body string) string {
		return "--b\r\nContent-Disposition: form-data; " + head + "\r\n\r\n" + body + "\r\n"
	}
	whole := part(`name="service_code"`, "pothole") + part(`name="lat"`, "-8.5") + part(`name="long"`, "125.5")
	for _, seed := range []string{
		"service_code=pothole&lat=-8.55&long=125.55&description=Deep+hole&api_key=lsk_x", "service_code=&lat=&long=", "", "&&=&a", "%zz=1", "a=%00%ff&service_code=waste&lat=-8.5&long=125.5",
		"service_code=waste&address_string=Dili&attribute[severity]=high&attribute%5Baccuracy%5D=6.5&attribute[language][]=tet&attribute[anonymous]=true&attribute[]=x&attribute[title]=Hole",
		"service_code=waste&lat=1e400&long=NaN", "service_code=waste&lat=-8.5&lat=-8.6&long=125.5", "media_url=https://example.org/a.jpg&media_url=//x&service_code=waste&lat=-8.5&long=125.5",
		"email=Ana@example.tl&first_name=Ana&last_name=%F0%9F%90%8A&phone=%2B670+7700&device_id=1&account_id=2&service_code=other&lat=-8.5&long=125.5", "description=" + strings.Repeat("%C3%A9", 4001),
	} {
		f.Add("application/x-www-form-urlencoded", []byte(seed))
	}
	f.Add("", []byte("service_code=pothole&lat=-8.55&long=125.55"))
	f.Add("application/json", []byte(`{"service_code":"pothole"}`))
	f.Add(form, []byte(whole+part(`name="media"; filename="a.jpg"`, "\xff\xd8\xff")+"--b--\r\n"))
	f.Add(form, []byte(whole+part(`name="media"`, "text")+part(`name="description"`, "\xff\xd8\xff\xe0 picture")+"--b--\r\n"))
	f.Add("multipart/form-data", []byte(whole))
	f.Add("multipart/form-data; boundary=b; boundary=c", []byte("--b"))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		fields, err := readForm(contentType, body)
		if err == nil {
			checkForm(t, fields)
			var request createRequest
			if request, err = readCreate(fields, report.TimorLeste(), 3, &warning.Collector{}); err == nil {
				checkCreateRequest(t, request)
				return
			}
		}
		var p *problem.Error
		if !errors.As(err, &p) || p.Kind < 400 || p.Kind >= 500 {
			t.Fatalf("refused with %v", err)
		}
	})
}

func checkForm(t *testing.T, f form) {
	t.Helper()
	size := 0
	for _, field := range f.fields {
		size += len(field.Value)
	}
	if size > upload.MaxFields || len(f.fields)+len(f.files) > upload.MaxParts {
		t.Errorf("%d bytes, %d fields, %d files", size, len(f.fields), len(f.files))
	}
}

func checkCreateRequest(t *testing.T, r createRequest) {
	t.Helper()
	if r.placed && !report.TimorLeste().Has(r.Latitude, r.Longitude) || !r.placed && r.Address.Address == nil || r.IssueType == "" || len(r.files)+len(r.urls) > 3 {
		t.Errorf("%+v", r)
	}
	texts := []*string{&r.Title, &r.Description, r.Address.Address}
	if c := r.Contact; c != nil {
		texts = append(texts, c.Name, c.Phone, c.Email, c.DeviceID, c.AccountID)
	}
	for _, text := range texts {
		if text != nil && (!utf8.ValidString(*text) || strings.ContainsRune(*text, 0) || utf8.RuneCountInString(*text) > maxDescription) {
			t.Errorf("text %q", *text)
		}
	}
	if r.Accuracy != nil && !(*r.Accuracy >= 0 && *r.Accuracy < 1e6) {
		t.Errorf("accuracy %v", *r.Accuracy)
	}
}
