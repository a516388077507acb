package users_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/identity"
)

const lockUser = `SELECT FROM users WHERE id = $1 FOR UPDATE`

// twice makes a request two times at once, while the row of a person is locked, and returns the statuses in ascending order.
func (b *bundle) twice(person uuid.UUID, request func() apiclient.TestResponse) []int {
	b.t.Helper()
	statuses := make([]int, 2)
	testdb.AtOnce(b.t, b.db, lockUser, []any{person},
		func() { statuses[0] = request().Status }, func() { statuses[1] = request().Status })
	slices.Sort(statuses)
	return statuses
}

// upload stores the row of a picture that its owner may use.
func (b *bundle) upload(owner uuid.UUID, set string) string {
	b.t.Helper()
	id := uuid.NewString()
	b.exec(`INSERT INTO uploads (id, user_id, s3_key, content_type, size_bytes, state, expires_at)
		VALUES ($1, $2, $3, 'image/jpeg', 100, 'processed', now() + interval '1 day')`, id, owner, "originals/"+id)
	if set != "" {
		b.exec(`UPDATE uploads SET `+set+` WHERE id = $1`, id)
	}
	return id
}

func TestAPasswordChangedTwiceAtOnceChangesOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me := b.person(identity.Citizen)
	got := b.twice(me.ID, func() apiclient.TestResponse {
		return b.WithToken(me.Token).Do(http.MethodPost, "/users/me/change-password", fields{"current_password": goodPassword, "new_password": "ponte-Comoro-77"})
	})
	if !slices.Equal(got, []int{200, 400}) {
		t.Errorf("got %v, want one change", got)
	}
}

func TestAnAccountErasedTwiceAtOnceIsErasedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me := b.person(identity.Citizen)
	b.exec(`INSERT INTO idempotency_keys (owner, key, request_hash, locked_until) VALUES ($1, 'k', '', now())`, me.ID.String())
	b.twice(me.ID, func() apiclient.TestResponse {
		return b.WithToken(me.Token).Do(http.MethodDelete, "/users/"+me.ID.String(), nil)
	})
	if n := b.count(`SELECT count(*) FROM audit_log WHERE action = 'user.erase'`); n != 1 {
		t.Errorf("erased %d times", n)
	}
	if n := b.count(`SELECT count(*) FROM idempotency_keys`); n != 0 {
		t.Error("an answer that the person got earlier stays")
	}
}

func TestTwoPicturesChosenAtOnceLeaveOneAttached(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me := b.person(identity.Citizen)
	choose := func(upload string) func() {
		return func() {
			b.WithToken(me.Token).Do(http.MethodPatch, "/users/me", fields{"avatar_upload_id": upload})
		}
	}
	testdb.AtOnce(t, b.db, lockUser, []any{me.ID}, choose(b.upload(me.ID, "")), choose(b.upload(me.ID, "")))
	if n := b.count(`SELECT count(*) FROM uploads WHERE attached_at IS NOT NULL`); n != 1 {
		t.Errorf("%d pictures are attached, want 1", n)
	}
}

func TestOnlyAFreeUploadBecomesAnAvatar(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me := b.person(identity.Citizen)
	choose := func(upload string) apiclient.TestResponse {
		return b.WithToken(me.Token).Do(http.MethodPatch, "/users/me", fields{"avatar_upload_id": upload})
	}
	for _, set := range []string{"attached_at = now()", "expires_at = now() - interval '1 second'", "state = 'refused'"} {
		choose(b.upload(me.ID, set)).WantProblem(422, "upload_not_found")
	}
	// A report attaches the picture in a transaction that is under way.
	id := b.upload(me.ID, "")
	var got apiclient.TestResponse
	testdb.AtOnce(t, b.db, `UPDATE uploads SET attached_at = now() WHERE id = $1`, []any{id}, func() { got = choose(id) })
	got.WantProblem(422, "upload_not_found")
}

func TestTheAddressOfAPictureWorksForAQuarterOfAnHour(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me := b.person(identity.Citizen)
	b.exec(`UPDATE users SET avatar_upload_id = $2 WHERE id = $1`, me.ID, b.upload(me.ID, ""))
	if to := b.Do(http.MethodGet, "/users/"+me.ID.String()+"/avatar", nil).Want(302).Header.Get("Location"); !strings.Contains(to, "X-Amz-Expires=900&") {
		t.Errorf("leads to %s", to)
	}
}

func TestOnlyAnAdministratorReadsTheFullProfileOfAnother(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me := b.person(identity.Citizen)
	for _, role := range []identity.Role{identity.Moderator, identity.Official} {
		a := b.WithToken(b.person(role).Token).Do(http.MethodGet, "/users/"+me.ID.String(), nil).Want(200)
		if _, there := a.Object().Values["email"]; there {
			t.Errorf("a %s reads the e-mail address", role)
		}
	}
}

func TestRoutesThatCheckAPasswordAreLimitedAsSigningIn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me := b.person(identity.Citizen)
	for path, method := range map[string]string{"/users/me/change-password": http.MethodPost, "/users/me": http.MethodDelete, "/users/me/export": http.MethodGet} {
		if a := b.WithToken(me.Token).Do(method, path, nil); a.Header.Get("RateLimit-Limit") != "10" {
			t.Errorf("%s %s: limit %s a minute, want 10", method, path, a.Header.Get("RateLimit-Limit"))
		}
	}
}

func TestBoundsOfAProfile(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me := b.person(identity.Citizen)
	patch := func(name, value string) apiclient.TestResponse {
		return b.WithToken(me.Token).Do(http.MethodPatch, "/users/me", fields{name: value})
	}
	for name, most := range map[string]int{"full_name": 100, "country": 80, "instagram": 60} {
		patch(name, strings.Repeat("é", most)).Want(200)
		patch(name, strings.Repeat("é", most+1)).WantProblem(422, "invalid_input")
	}
	patch("phone_number", "+"+strings.Repeat("6", 31)).Want(200)
	patch("phone_number", "+"+strings.Repeat("6", 32)).WantProblem(422, "invalid_input")
	patch("country", strings.Repeat("x", 64<<10)).WantProblem(413, "too_large")
}

func TestMutedWordsAreKnown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me := b.WithToken(b.signer.SignIn(b.db, identity.Citizen).Token)
	mute := func(words ...string) apiclient.TestResponse {
		return me.Do(http.MethodPatch, "/users/me", fields{"notification_prefs": fields{"muted": words}})
	}
	a := mute("digest", "Alerts", "announcement", "report-overdue", "digest").Want(http.StatusOK)
	if got := fmt.Sprint(a.Object().At("notification_prefs.muted")); got != "[digest alerts announcement report_overdue]" {
		t.Errorf("muted: %s", got)
	}
	mute("newsletter").WantProblem(http.StatusUnprocessableEntity, "invalid_input")
	if got := fmt.Sprint(me.Do(http.MethodGet, "/users/me", nil).Object().At("notification_prefs.muted")); got != "[digest alerts announcement report_overdue]" {
		t.Errorf("muted after a refusal: %s", got)
	}
}
