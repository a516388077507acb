package open311_test

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

// A request that is sent again gets the same report: by content within 24 hours, also after the report was taken down, and at once.
func TestCreateAgain(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, key := w.APIKey("FixMyStreet")
	_, other := w.APIKey("Neighbour")
	form := filed(key, map[string]string{"lat": "-8.556901", "attribute[title]": "Hole"})
	var mu sync.Mutex
	numbers := map[string]bool{}
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			made := create(t, w.Anonymous(), form)
			mu.Lock()
			defer mu.Unlock()
			numbers[made.Text("service_request_id")] = true
		})
	}
	wg.Wait()
	if len(numbers) != 1 || w.Int(`SELECT count(*) FROM reports`) != 1 {
		t.Fatalf("%v", numbers)
	}
	first := w.Text(`SELECT report_number FROM reports`)
	again := create(t, w.Anonymous(), filed(key, map[string]string{"lat": "-8.556902", "attribute[title]": "Hole", "email": "ana@example.tl"}))
	receipt := w.Receipt(apiclient.Object{Values: again.At("extensions").(object)})
	if again.Text("service_request_id") != first || len(receipt.Salt) != 32 || w.Int(`SELECT count(*) FROM open311_contacts`) != 0 {
		t.Errorf("again: %v", again.Values)
	}
	w.Staff("admin").Do(http.MethodDelete, "/reports/"+first+"?reason_code=irrelevant", nil).Want(http.StatusOK)
	if got := create(t, w.Anonymous(), form).Text("service_request_id"); got != first {
		t.Errorf("after it was removed: %s", got)
	}
	for what, another := range map[string]url.Values{
		"another key":   filed(other, map[string]string{"lat": "-8.556901", "attribute[title]": "Hole"}),
		"another place": filed(key, map[string]string{"lat": "-8.55692", "attribute[title]": "Hole"}),
		"other words":   filed(key, map[string]string{"lat": "-8.556901", "attribute[title]": "Hole!"}),
		"another type":  filed(key, map[string]string{"lat": "-8.556901", "attribute[title]": "Hole", "service_code": "bridge"}),
		"a picture":     filed(key, map[string]string{"lat": "-8.556901", "attribute[title]": "Hole", "media_url": "https://example.org/a.jpg"}),
	} {
		if got := create(t, w.Anonymous(), another).Text("service_request_id"); numbers[got] {
			t.Errorf("%s is a repeat", what)
		} else {
			numbers[got] = true
		}
	}
	w.Tamper(`ALTER TABLE reports DISABLE TRIGGER USER; UPDATE reports SET created_at = created_at - interval '25 hours'`)
	if got := create(t, w.Anonymous(), form).Text("service_request_id"); numbers[got] {
		t.Error("a repeat of yesterday's report")
	}
}

// What a repeat says otherwise is named in its warnings, and changes nothing; but whoever wants to be anonymous is.
func TestWhatARepeatSaysOtherwise(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, key := w.APIKey("FixMyStreet")
	all := map[string]string{"attribute[severity]": "low", "attribute[accuracy]": "5", "address_string": "Rua A", "first_name": "Ana", "phone": "+670 7700 1122", "email": "ana@example.tl", "device_id": "d1", "account_id": "a1"}
	first := create(t, w.Anonymous(), filed(key, all))
	if again := create(t, w.Anonymous(), filed(key, all)); warned(again) != "" {
		t.Errorf("the same again: %s", warned(again))
	}
	if fewer := create(t, w.Anonymous(), filed(key, nil)); warned(fewer) != "" {
		t.Errorf("less: %s", warned(fewer))
	}
	others := map[string]string{"attribute[severity]": "high", "attribute[accuracy]": "50", "address_string": "Rua B", "first_name": "Rui", "phone": "+670 7700 1133", "email": "rui@example.tl", "device_id": "d2", "account_id": "a2", "attribute[anonymous]": "true"}
	again := create(t, w.Anonymous(), filed(key, others))
	const want = "attribute[severity]:not_taken address_string:not_taken first_name:not_taken phone:not_taken email:not_taken device_id:not_taken account_id:not_taken attribute[anonymous]:updated"
	if again.Text("service_request_id") != first.Text("service_request_id") || warned(again) != want {
		t.Errorf("otherwise: %s", warned(again))
	}
	number := first.Text("service_request_id")
	if got := w.Text(`SELECT concat_ws(' ', is_anonymous, severity_guess, c.full_name, (SELECT string_agg(e.event_type, ' ' ORDER BY e.seq) FROM ledger_events e WHERE e.report_id = r.id)) FROM reports r JOIN open311_contacts c ON c.report_id = r.id`); got != "t low Ana REPORT_SUBMITTED CONTENT_AMENDED" {
		t.Errorf("stored: %s", got)
	}
	if once := create(t, w.Anonymous(), filed(key, map[string]string{"attribute[anonymous]": "true"})); warned(once) != "" || w.Int(`SELECT count(*) FROM ledger_events`) != 2 {
		t.Errorf("anonymous already: %s", warned(once))
	}
	w.Staff("admin").Do(http.MethodDelete, "/reports/"+number+"?reason_code=irrelevant", nil).Want(http.StatusOK)
	w.Tamper(`ALTER TABLE reports DISABLE TRIGGER USER; UPDATE reports SET is_anonymous = false`)
	if removed := create(t, w.Anonymous(), filed(key, map[string]string{"attribute[anonymous]": "true"})); warned(removed) != "attribute[anonymous]:not_taken" {
		t.Errorf("after it was removed: %s", warned(removed))
	}
}

// The same Idempotency-Key gets the same report for good, and is refused with another request.
func TestIdempotencyKeyOfCreate(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, key := w.APIKey("FixMyStreet")
	_, other := w.APIKey("Neighbour")
	keyed := w.Anonymous().With("Idempotency-Key", "fms-12")
	first := keyed.Post(path("requests.json"), filed(key, nil)).Want(http.StatusOK)
	again := keyed.Post(path("requests.json"), filed(key, nil)).Want(http.StatusOK)
	if !bytes.Equal(first.Body, again.Body) || first.Header.Get("Idempotent-Replay") != "" || again.Header.Get("Idempotent-Replay") != "true" {
		t.Errorf("%s\n%s", first.Body, again.Body)
	}
	r := keyed.Post(path("requests.json"), filed(key, map[string]string{"description": "Another hole"})).Want(http.StatusBadRequest)
	if !strings.Contains(string(r.Body), "Idempotency-Key") {
		t.Errorf("%s", r.Body)
	}
	if keyed.Post(path("requests.json"), filed(other, nil)).Want(http.StatusOK); w.Int(`SELECT count(*) FROM reports`) != 2 {
		t.Error("two systems share an Idempotency-Key")
	}
	w.Anonymous().With("Idempotency-Key", "a b").Post(path("requests.json"), filed(key, nil)).Want(http.StatusBadRequest)
}

// A request that stops being a repeat while it waits for another one of its key creates a report with its picture.
func TestARepeatThatIsNoneAnyMore(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id, key := w.APIKey("FixMyStreet")
	form := multipartForm(t, filed(key, nil), w.JPEG(1))
	first := create(t, w.Anonymous(), form).Text("service_request_id")
	tx, err := w.DB.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := tx.Exec(t.Context(), `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, "filing:key:"+id.String()); err != nil {
		t.Fatal(err)
	}
	client, second := w.Anonymous(), make(chan string, 1)
	go func() {
		second <- apiclient.Object{Values: items(t, client.Post(path("requests.json"), form))[0]}.Text("service_request_id")
	}()
	w.WaitUntil(`SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.datname = current_database())`)
	w.Tamper(`ALTER TABLE reports DISABLE TRIGGER USER; UPDATE reports SET created_at = created_at - interval '25 hours'`)
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if number := <-second; number == first || w.Int(`SELECT count(*) FROM reports r JOIN report_images i ON i.report_id = r.id WHERE r.report_number = $1`, number) != 1 {
		t.Errorf("the second request got %s, the first one %s", number, first)
	}
}
