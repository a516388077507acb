package web_test

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/infra/local/browser"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

var (
	plots     = regexp.MustCompile(`(?s)<section class="card plot">.*?</section>`)
	plotRows  = regexp.MustCompile(`<tr><th scope="row">([^<]*)</th><td class="n">([^<]*)</td><td class="n">([^<]*)</td><td class="bars">`)
	bars      = regexp.MustCompile(`<td class="n">([0-9]+)</td><td class="n">([0-9]+)</td><td class="bars">[^/]*<rect class="received"[^>]* width="([0-9.]+)"[^>]*/><rect class="fixed"[^>]* width="([0-9.]+)"`)
	agencyRow = regexp.MustCompile(`(?s)<tr data-agency="([^"]*)">(.*?)</tr>`)
	cells     = regexp.MustCompile(`<td class="n">([^<]*)</td>`)
	figures   = regexp.MustCompile(`(?s)<div data-figure="([a-z]*)"><dt>[^<]*</dt><dd>(.*?)</dd>`)
)

// statsPage reads the page of statistics: rows of plots by their names, agencies by their codes, figures by their keys.
func statsPage(w *testenv.System, query string) map[string]string {
	w.Helper()
	body := string(visitor(w).Get("//stats?lang=en" + query).Want(http.StatusOK).Body)
	out := map[string]string{"page": body}
	for _, r := range plotRows.FindAllStringSubmatch(body, -1) {
		out[html.UnescapeString(r[1])] = r[2] + " " + r[3]
	}
	for _, r := range agencyRow.FindAllStringSubmatch(body, -1) {
		var numbers []string
		for _, c := range cells.FindAllStringSubmatch(r[2], -1) {
			numbers = append(numbers, c[1])
		}
		out[r[1]] = strings.Join(numbers, " ")
	}
	for _, r := range figures.FindAllStringSubmatch(body, -1) {
		out["="+r[1]] = regexp.MustCompile(`</?small>`).ReplaceAllString(r[2], "")
	}
	return out
}

// busy makes a system with an agency and reports in every state; two verdicts of AI, of which a moderator overturns one.
func busySystem(t *testing.T) (*testenv.System, string) {
	t.Helper()
	w := setupAll(t)
	c, m := w.Citizen(), w.Staff(identity.Moderator)
	agency := w.Agency("OP-DILI")
	w.Exec(`UPDATE agencies SET municipality_codes = '{TL-DI}', name = 'Public Works Dili'`)
	official := w.Staff(identity.Official, agency)
	for n := range 7 {
		kind, code := []string{"pothole", "street_light"}[n%2], []string{"TL-DI", "TL-BA"}[n/5]
		id, _ := file(w, c, object{"issue_type": kind})
		w.Exec(`UPDATE reports SET municipality_code = $2 WHERE id = $1`, id, code)
		switch n {
		case 0, 1:
			w.Exec(`INSERT INTO report_status_history (id, report_id, old_status, new_status, actor_kind) VALUES ($1, $2, 'pending', 'verified', 'ai')`, uuid.Must(uuid.NewV7()), id)
			w.Exec(`UPDATE reports SET status = 'verified' WHERE id = $1`, id)
			if n == 0 {
				m.Post("/reports/"+id+"/status", object{"status": "rejected", "reason_code": "irrelevant"}).Want(http.StatusOK)
			}
		case 2, 3:
			w.Verify(id)
			m.Post("/reports/"+id+"/assign", object{"agency_id": agency}).Want(http.StatusOK)
			official.Post("/reports/"+id+"/status", object{"status": "in_progress"}).Want(http.StatusOK)
			if n == 3 {
				official.Post("/reports/"+id+"/status", object{"status": "fixed", "note": "Taka tiha kuak"}).Want(http.StatusOK)
			}
		}
	}
	return w, agency.String()
}

// The bars of each plot are as long as their numbers say, of the largest number of the plot.
func TestBarsAreAsLongAsTheirNumbers(t *testing.T) {
	t.Parallel()
	w, _ := busySystem(t)
	// More were fixed in this month than were reported.
	w.Exec(`INSERT INTO report_month_changes SELECT date_trunc('month', now() AT TIME ZONE 'Asia/Dili')::date, 'TL-DI', 'pothole', 'was_fixed', 9`)
	w.Exec(`INSERT INTO report_month_changes SELECT date_trunc('month', now() AT TIME ZONE 'Asia/Dili')::date, '', 'other', 'fixed', 2`) // without a deadline, and nobody knows where
	shown := statsPage(w, "")
	month := time.Now().In(time.FixedZone("", 9*3600)).Format("January 2006")
	if got := []string{shown[month], shown["Not known yet"], shown["=kept"]}; !slices.Equal(got, []string{"9 10", "2 2", "100 % 1 of 1"}) {
		t.Errorf("%s, the unknown place, deadlines kept: %q", month, got)
	}
	drawn := plots.FindAllString(shown["page"], -1)
	if len(drawn) != 3 {
		t.Fatalf("%d plots", len(drawn))
	}
	for i, plot := range drawn {
		rows := bars.FindAllStringSubmatch(plot, -1)
		if len(rows) == 0 || len(rows) != strings.Count(plot, "<rect class=\"received\" x=\"0\"") {
			t.Fatalf("plot %d: %d rows in %s", i, len(rows), plot)
		}
		var most int
		numbers := make([][2]int, len(rows))
		for r, row := range rows {
			for k := range 2 {
				numbers[r][k], _ = strconv.Atoi(row[1+k])
				most = max(most, numbers[r][k])
			}
		}
		for r, row := range rows {
			for k := range 2 {
				if want := fmt.Sprintf("%.1f", float64(numbers[r][k])*100/float64(most)); row[3+k] != want {
					t.Errorf("plot %d, row %d: %v of %d is %s long, want %s", i, r, numbers[r], most, row[3+k], want)
				}
			}
		}
	}
}

// The page shows the figures that the API gives, and says how often staff decided otherwise than AI.
func TestStatisticsEqualThoseOfTheAPI(t *testing.T) {
	t.Parallel()
	w, _ := busySystem(t)
	c := w.Citizen()
	same, _ := file(w, c, object{})
	w.Exec(`UPDATE reports SET municipality_code = 'TL-DI', status = 'duplicate', duplicate_of = (SELECT o.id FROM reports o WHERE o.id <> $1 LIMIT 1) WHERE id = $1`, same)
	nowhere, _ := file(w, c, object{})
	w.Exec(`UPDATE reports SET municipality_code = NULL WHERE id = $1`, nowhere)
	got := statsPage(w, "")
	if !strings.Contains(got["page"], "1 report has no municipality yet.") {
		t.Error("the page does not say that a report has no municipality")
	}
	api := w.Anonymous()
	for _, m := range api.Get("/public/stats/by-municipality").Want(http.StatusOK).List() {
		if want := fmt.Sprintf("%v %v", m.Number("total"), m.Number("fixed")); got[m.Text("municipality")] != want {
			t.Errorf("%v: page %q, API %q", m.Text("municipality"), got[m.Text("municipality")], want)
		}
	}
	labels := map[string]string{"pothole": "Pothole", "street_light": "Street light"}
	for _, k := range api.Get("/public/stats/by-type").Want(http.StatusOK).List() {
		if want := fmt.Sprintf("%v %v", k.Number("total"), k.Number("fixed")); got[labels[k.Text("issue_type")]] != want {
			t.Errorf("%v: page %q, API %q", k.Text("issue_type"), got[labels[k.Text("issue_type")]], want)
		}
	}
	for _, m := range api.Get("/public/stats/trends?period=month&days=300").Want(http.StatusOK).List() {
		at, err := time.Parse(time.DateOnly, m.Text("period"))
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("%v %v", m.Number("created"), m.Number("fixed")); got[at.Format("January 2006")] != want {
			t.Errorf("%s: page %q, API %q", at.Format("January 2006"), got[at.Format("January 2006")], want)
		}
	}
	a := api.Get("/public/stats/by-agency").Want(http.StatusOK).List()[0]
	if want := fmt.Sprintf("%v %v %v %v %v %v 0 h 0 h", a.Number("assigned"), a.Number("open"), a.Number("overdue"), a.Number("fixed"), a.Number("kept"), a.Number("reopened")); got["OP-DILI"] != want {
		t.Errorf("agency: page %q, API %q", got["OP-DILI"], want)
	}
	for key, want := range map[string]string{"received": "9", "open": "6", "fixed": "1", "rejected": "1", "duplicate": "1", "kept": "100 % 1 of 1", "overridden": "50 % 1 of 2"} {
		if got["="+key] != want {
			t.Errorf("%s: %q, want %q", key, got["="+key], want)
		}
	}
}

// The address says which municipality and which period. A sheet has its title, its date and its source.
func TestStatisticsOfAMunicipalityAndAQuarter(t *testing.T) {
	t.Parallel()
	w, _ := busySystem(t)
	now := time.Now().In(time.FixedZone("", 9*3600))
	quarter := fmt.Sprintf("%d-Q%d", now.Year(), (int(now.Month())+2)/3)
	sheet := statsPage(w, "&municipality=Baucau&quarter="+quarter)
	if sheet["=received"] != "2" || sheet["OP-DILI"] != "" || sheet["Dili"] != "" || sheet["Pothole"] == "" {
		t.Errorf("Baucau: %v", sheet)
	}
	for _, want := range []string{"<h1>Figures: Baucau, Quarter " + quarter[6:] + " of " + quarter[:4], `<option value="TL-BA" selected>`, `<option value="` + quarter + `" selected>`, "Source: LafaekStreet, " + w.URL,
		`href="?municipality=TL-BA&amp;quarter=` + quarter + `&amp;lang=tet"`} {
		if !strings.Contains(sheet["page"], want) {
			t.Errorf("the sheet has no %s", want)
		}
	}
	if dili := statsPage(w, "&municipality=TL-DI&year="+quarter[:4]); dili["=received"] != "5" || dili["OP-DILI"] == "" {
		t.Errorf("Dili: %v", dili)
	}
	if before := statsPage(w, "&quarter=2020-Q1"); before["=received"] != "0" || before["=kept"] != "–" || !strings.Contains(before["page"], "There is no report in this period") {
		t.Errorf("before: %v", before)
	}
	for _, wrong := range []string{"municipality=Atlantis", "quarter=2026-Q5", "quarter=x", "year=99"} {
		if got := visitor(w).Get("//stats?lang=en&" + wrong).Want(http.StatusUnprocessableEntity); !strings.Contains(string(got.Body), "To the start page") {
			t.Errorf("%s: %s", wrong, got.Body)
		}
	}
}

// The sheet of a municipality and a quarter fits on a page of A4. On a phone nothing is wider than the screen.
func TestStatisticsOnPaperAndOnAPhone(t *testing.T) {
	t.Parallel()
	w, _ := busySystem(t)
	w.Exec(`INSERT INTO report_month_changes SELECT (date '2026-11-01' - m * interval '1 month')::date, code, issue_type, measure, 40 + (hashtext(code || issue_type || m) % 40) * CASE measure WHEN 'verified' THEN 10 ELSE 3 END
		FROM generate_series(0, 11) m, municipalities, unnest(ARRAY['pothole', 'road_damage', 'flooding', 'drainage', 'street_light', 'bridge', 'waste', 'water_supply', 'sidewalk', 'debris', 'traffic_sign', 'other']) issue_type,
		unnest(ARRAY['verified', 'fixed', 'was_fixed']) measure`, pgx.QueryExecModeSimpleProtocol)
	tab := browser.Open(t, 360, 1400)
	var wide int
	for _, at := range []struct {
		name, scheme, query string
		width               int
	}{{"stats-360-tet-dark", "dark", "?lang=tet", 360}, {"stats-1280-pt", "light", "?lang=pt&quarter=2026", 1280}} {
		err := chromedp.Run(tab, chromedp.EmulateViewport(int64(at.width), 1800), emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: at.scheme}}),
			chromedp.Navigate(w.URL+"/stats"+at.query), chromedp.WaitVisible("#print"), chromedp.Evaluate(`document.documentElement.scrollWidth - innerWidth`, &wide))
		if err != nil || wide > 0 {
			t.Errorf("%s: %d pixels too wide, %v", at.name, wide, err)
		}
		browser.Screenshot(t, tab, at.name)
	}
	var sheet []byte
	err := chromedp.Run(tab, chromedp.Navigate(w.URL+"/stats?lang=pt&municipality=TL-DI&quarter=2026-Q3"), chromedp.WaitVisible("#print"),
		chromedp.ActionFunc(func(ctx context.Context) error {
			var err error
			sheet, _, err = page.PrintToPDF().WithPreferCSSPageSize(true).WithPrintBackground(false).Do(ctx)
			return err
		}))
	if err != nil {
		t.Fatal(err)
	}
	if pages := len(regexp.MustCompile(`/Type\s*/Page\b[^s]`).FindAll(sheet, -1)); pages != 1 {
		t.Errorf("the sheet has %d pages", pages)
	}
	if folder := os.Getenv("SCREENSHOTS"); folder != "" {
		if err := os.WriteFile(filepath.Join(folder, "sheet.pdf"), sheet, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
