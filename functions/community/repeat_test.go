package community_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/community"
	"github.com/lafaekstreet/backend/infra/local/testenv"
)

func TestARepeatedComment(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, community.Open)
	c := w.Citizen()
	path := "/reports/" + place(w, c, "") + "/comments"
	body := object{"content": "Deeper since the rain.", "client_id": uuid.NewString()}
	first := c.Post(path, body).Want(http.StatusCreated).Object().Text("id")
	if got := c.Post(path, object{"content": " Deeper since the rain. ", "client_id": body["client_id"]}).Want(http.StatusOK).Object().Text("id"); got != first {
		t.Errorf("the same content again is comment %s, want %s", got, first)
	}
	accented := object{"content": "Não.", "client_id": uuid.NewString()}
	c.Post(path, accented).Want(http.StatusCreated)
	c.Post(path, object{"content": "Na\u0303o.", "client_id": accented["client_id"]}).Want(http.StatusOK) // the same in another Unicode form
	if got := c.Post(path, object{"content": "It is filled.", "client_id": body["client_id"]}).Want(http.StatusConflict).Code(); got != "client_id_reused" {
		t.Errorf("other content: %s", got)
	}
	for range 2 { // a nil UUID is what programs send for none
		c.Post(path, object{"content": "Here too.", "client_id": uuid.Nil.String()}).Want(http.StatusCreated)
	}
	if n := w.Int(`SELECT count(*) FROM report_comments`); n != 4 {
		t.Errorf("%d comments, want 4", n)
	}
}

// An Idempotency-Key compares values of JSON: order, spaces and escapes do not count.
func TestAnIdempotencyKeyOfAComment(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, community.Open)
	c := w.Citizen()
	path := "/reports/" + place(w, c, "") + "/comments"
	keyed := c.With("Idempotency-Key", "k-1")
	keyed.Post(path, []byte(`{"content":"água","extra":125.50}`)).Want(http.StatusCreated)
	if got := keyed.Post(path, []byte(`{ "extra": 1255e-1, "comment": "\u00e1gua" }`)).Want(http.StatusCreated); got.Header.Get("Idempotent-Replay") != "true" {
		t.Errorf("the same value: %s", got.Body)
	}
	if got := keyed.Post(path, []byte(`{"content":"agua"}`)).Want(http.StatusUnprocessableEntity).Code(); got != "idempotency_key_reused" {
		t.Errorf("another content: %s", got)
	}
}
