package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// story is a report with a picture that an agency works on, and its people.
type story struct {
	w                  *testenv.System
	reporter, official *testenv.Client
	moderator          *testenv.Client
	id, number         string
}

func newStory(t *testing.T, changes object) *story {
	t.Helper()
	w := setupAll(t)
	s := &story{w: w, reporter: w.Citizen(), moderator: w.Staff(identity.Moderator)}
	agency := w.Agency("ROADS")
	w.Exec(`UPDATE agencies SET name = 'Road works', name_tet = 'Obras Estrada' WHERE id = $1`, agency)
	s.official = w.Staff(identity.Official, agency)
	picture := s.reporter.Form("/reports/pre-upload-image", nil, "file", "a.jpg", w.JPEG(90)).Want(http.StatusCreated).Object().Text("upload_id")
	w.ProcessUpload(picture)
	body := object{"title": "Kuak boot", "description": "Motor monu.\nAat liu.", "images": []object{{"upload_id": picture}}, "municipality": "Dili", "street": "Avenida Lobato", "severity": "high"}
	for k, v := range changes {
		body[k] = v
	}
	s.id, s.number = file(w, s.reporter, body)
	w.Verify(s.id)
	s.moderator.Post("/reports/"+s.id+"/assign", object{"agency_id": agency}).Want(http.StatusOK)
	s.official.Post("/reports/"+s.id+"/status", object{"status": "in_progress", "note": "Ekipa sei ba tersa-feira"}).Want(http.StatusOK)
	return s
}

// page is the page of the report for a visitor.
func (s *story) page(lang string) string {
	return string(s.w.Anonymous().Get("//r/" + s.number + "?lang=" + lang).Want(http.StatusOK).Body)
}

// want fails the test for each text that a page lacks.
func want(t *testing.T, page string, texts ...string) {
	t.Helper()
	for _, words := range texts {
		if !strings.Contains(page, words) {
			t.Errorf("no %q on the page: %s", words, page)
		}
	}
}

// The page shows to everybody, without a script, what was done about a report: agency, deadline, steps with notes, severity with
// its noun, kind, place, source, comments, people.
func TestReportPageShowsTheWorkDone(t *testing.T) {
	t.Parallel()
	s := newStory(t, nil)
	s.w.Citizen().Post("/reports/"+s.id+"/confirm", object{"note": "Ha'u mós haree."}).Want(http.StatusOK)
	spam := s.w.Citizen().Post("/reports/"+s.id+"/comments", object{"content": "Buy now"}).Want(http.StatusCreated).Object().Text("id")
	s.moderator.Post("/reports/"+s.id+"/comments/"+spam+"/hide", object{"reason_code": "other", "note": "Spam"}).Want(http.StatusOK)
	s.official.Post("/reports/"+s.id+"/comments", object{"content": "We come on Tuesday."}).Want(http.StatusCreated)
	copied, copyNumber := file(s.w, s.w.Citizen(), nil)
	s.moderator.Post("/reports/"+copied+"/status", object{"status": "duplicate", "duplicate_of": s.id}).Want(http.StatusOK)
	withdrawn, _ := file(s.w, s.w.Citizen(), nil)
	s.moderator.Post("/reports/"+withdrawn+"/status", object{"status": "duplicate", "duplicate_of": s.id}).Want(http.StatusOK)
	s.w.Exec(`UPDATE reports SET deleted_at = now() WHERE id = $1`, withdrawn) // it does not count

	page := s.page("en")
	want(t, page, "Road works", "<dt>Severity</dt><dd>High</dd>", "<dt>Deadline</dt>", "<dt>Kind</dt>", "Pothole", "Avenida Lobato", "Ekipa sei ba tersa-feira", "official, Road works",
		"this site", "Ha&#39;u mós haree.", "We come on Tuesday.", "1 person sees it too.", "Another report is about the same problem.", "geo:-8.55690,125.56030", "/map#16/-8.55690/125.56030",
		"/api/v1/public/sketch.svg?", `data-testid="qr"`, "Motor monu.\nAat liu.", `class="words" dir="auto"`)
	if strings.Contains(page, "Buy now") || strings.Count(page, "<li data-comment=") != 2 || strings.Contains(page, "overdue") {
		t.Error("a hidden comment is on the page, or the report is overdue")
	}
	want(t, s.page("tet"), "Obras Estrada", "<dt>Gravidade</dt><dd>Aas</dd>", "Prazu")
	if copyPage := string(s.w.Anonymous().Get("//r/" + copyNumber + "?lang=en").Want(http.StatusOK).Body); !strings.Contains(copyPage, `<a href="/r/`+s.number+`">`) {
		t.Errorf("a duplicate does not name its original: %s", copyPage)
	}
	s.w.Exec(`UPDATE reports SET due_at = now() - interval '1 day' WHERE id = $1`, s.id)
	want(t, s.page("en"), `class="status overdue">Overdue`)
	for _, not := range []string{`status = 'fixed'`, `status = 'verified', assigned_agency_id = NULL`} {
		s.w.Exec(`UPDATE reports SET `+not+` WHERE id = $1`, s.id)
		if strings.Contains(s.page("en"), "overdue") {
			t.Errorf("overdue with %s", not)
		}
	}
}

// Words of a report that is kept back from the public are nowhere on its page, in no language: those of one without a verdict,
// of hidden words, and of a rejected report.
func TestReportPageHasNoWordsThatAreKeptBack(t *testing.T) {
	t.Parallel()
	s := newStory(t, nil)
	s.reporter.Post("/reports/"+s.id+"/comments", object{"content": "Secret comment"}).Want(http.StatusCreated)
	pending, pendingNumber := file(s.w, s.reporter, object{"title": "Secret title", "description": "Secret words", "street": "Secret street", "severity": "critical"})
	s.reporter.Post("/reports/"+pending+"/comments", object{"content": "Secret comment"}).Want(http.StatusCreated)
	read := func(number string, status int, says string) string {
		t.Helper()
		body := string(s.w.Anonymous().Get("//r/" + number + "?lang=en").Want(status).Body)
		want(t, body, says)
		for _, kept := range []string{"Secret", "critical\"", "Critical", `class="photo"`, "og:image"} {
			if strings.Contains(strings.ReplaceAll(body, `"severity.critical":"Critical"`, ""), kept) {
				t.Errorf("%s: %q is on the page: %s", says, kept, body)
			}
		}
		return body
	}
	if body := read(pendingNumber, http.StatusOK, "This report is being checked."); !strings.Contains(body, "about 100 m") || !strings.Contains(body, "latitude=-8.55700") {
		t.Errorf("the place of a pending report: %s", body)
	}
	s.w.Exec(`UPDATE reports SET title = 'Secret title', description = 'Secret words' WHERE id = $1`, s.id)
	s.moderator.Post("/reports/"+s.id+"/hide", object{"reason_code": "personal_data", "note": "A name"}).Want(http.StatusOK)
	hidden := string(s.w.Anonymous().Get("//r/" + s.number + "?lang=en").Want(http.StatusOK).Body)
	if strings.Contains(hidden, "Secret title") || strings.Contains(hidden, "Secret words") || !strings.Contains(hidden, `data-testid="content-hidden"`) {
		t.Errorf("hidden words are on the page: %s", hidden)
	}
	s.moderator.Post("/reports/"+s.id+"/status", object{"status": "rejected", "reason_code": "personal_data", "note": "Secret note"}).Want(http.StatusOK)
	body := read(s.number, http.StatusGone, "This report was rejected.")
	want(t, body, s.number, "moderator", "It shows personal data", "you can appeal once", "<time datetime=")
	s.reporter.Delete("/reports/" + pending).Want(http.StatusOK)
	if body := read(pendingNumber, http.StatusGone, "<time datetime="); strings.Contains(body, "you can appeal") {
		t.Errorf("who withdrew a report may appeal: %s", body)
	}
}

// Once a moderator has decided, the page says so, and not what the AI found.
func TestAModeratorsVerdictStandsInsteadOfTheAIs(t *testing.T) {
	t.Parallel()
	w := setupAll(t)
	c, moderator := w.Citizen(), w.Staff(identity.Moderator)
	const found = "The photo does not show a problem"
	filed := func() (string, func() string) {
		id, number := file(w, c, object{"title": "Kuak"})
		w.Exec(`INSERT INTO ai_analyses (id, report_id, run_id, stage, model, prompt_version, input_hash, status, is_relevant, relevance_confidence)
			VALUES (gen_random_uuid(), $1, gen_random_uuid(), 'verdict', 'm', '1', '', 'completed', false, 0.75)`, id)
		w.Exec(`UPDATE reports SET ai_status = 'completed', ai_analysis_id = (SELECT id FROM ai_analyses WHERE report_id = $1) WHERE id = $1`, id)
		return id, func() string { return string(w.Anonymous().Get("//r/" + number + "?lang=en").Want(http.StatusOK).Body) }
	}
	decided := func(read func() string) {
		t.Helper()
		page := read()
		want(t, page, "Checked by a moderator.")
		if strings.Contains(page, found) {
			t.Error("the page still says what the AI found")
		}
	}
	overridden, read := filed()
	w.Verify(overridden)
	want(t, read(), found, "(AI, 75 % sure)")
	moderator.Post("/reports/"+overridden+"/ai-analysis/override", object{"is_relevant": true, "note": "A hole."}).Want(http.StatusOK)
	decided(read)
	verified, read := filed()
	moderator.Post("/reports/"+verified+"/status", object{"status": "verified"}).Want(http.StatusOK)
	decided(read)
}

// A picture that stands alone has no name, and what to do comes before the facts.
func TestPictureThatStandsAloneHasNoName(t *testing.T) {
	t.Parallel()
	s := newStory(t, nil)
	page := s.page("en")
	if strings.Contains(page, "<figcaption") || !strings.Contains(page, `alt="Kuak boot"`) {
		t.Errorf("the only picture has a name: %s", page)
	}
	if strings.Index(page, `id="actions"`) > strings.Index(page, "<dl>") {
		t.Error("the facts are before the actions")
	}
}

// The card of a shared link is in the language of whoever shares it, and its picture has an address that lasts.
func TestShareCard(t *testing.T) {
	t.Parallel()
	s := newStory(t, nil)
	address := s.w.URL + "/r/" + s.number
	for lang, status := range map[string]string{"en": "In progress", "pt": "Em curso", "tet": "La&#39;o hela"} {
		page := s.page(lang)
		want(t, page, `<meta property="og:title" content="Kuak boot">`, `<meta property="og:description" content="`+status, `<meta property="og:url" content="`+address+`?lang=`+lang+`">`,
			`<link rel="canonical" href="`+address+`">`, `<meta property="og:site_name" content="LafaekStreet">`, `<meta property="og:image:width"`, `<meta property="og:image:height"`,
			`<meta name="twitter:card" content="summary_large_image">`)
		_, after, _ := strings.Cut(page, `<meta property="og:image" content="`+s.w.URL)
		picture, _, _ := strings.Cut(after, `"`)
		if strings.Contains(picture, "?") || s.w.Anonymous().Get("/"+picture).Want(http.StatusOK).Header.Get("Content-Type") != "image/jpeg" {
			t.Errorf("%s: the picture of the card is %q", lang, picture)
		}
	}
}

// A number that no report has leads to a page with the box that finds reports.
func TestUnknownNumberHasTheBoxThatFinds(t *testing.T) {
	t.Parallel()
	body := string(setup(t).Anonymous().Get("//r/LS-2020-000001?lang=pt").Want(http.StatusNotFound).Body)
	want(t, body, `data-testid="find"`, `action="/"`, "Não existe nenhum relato")
}
