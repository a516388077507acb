package users_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/functions/users"
	"github.com/lafaekstreet/backend/infra/local/answers"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/google"
	"github.com/lafaekstreet/backend/infra/local/identitytest"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/credential"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/service"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

type bundle struct {
	apiclient.Tester
	t      *testing.T
	db     *pgxpool.Pool
	signer *identitytest.Signer
	google *google.Server
}

type fields map[string]any

const goodPassword = "rua-Aimutin-42"

func setup(t *testing.T) *bundle {
	t.Helper()
	address, signer := testdb.URL(t), identitytest.New(t)
	db, err := pgxpool.New(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	provider, err := google.Start(google.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := provider.Close(); err != nil {
			t.Error(err)
		}
	})
	env := config.Env{
		"DATABASE_URL": testdb.AppURL(address), "TOKEN_PUBLIC_KEYS": signer.PublicKeys(), "AWS_REGION": "ap-southeast-2",
		"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "MEDIA_BUCKET": "media",
		"SEAL_KEYS":  base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)),
		"LOG_ORIGIN": "lafaekstreet-test/log", "RECEIPTS_KEY": base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{9}, 32)),
		"GOOGLE_CLIENT_IDS": google.DefaultClientID, "GOOGLE_ISSUER": provider.Issuer(), "GOOGLE_KEYS_URL": provider.KeysURL(),
	}
	handler, err := users.OpenWith(t.Context(), env, service.WithClock(timestamp.System{}), service.WithOutput(&bytes.Buffer{}))
	if err != nil {
		t.Fatal(err)
	}
	return &bundle{Tester: apiclient.Serve(t, answers.Checked(t, handler)), t: t, db: db, signer: signer, google: provider}
}

// person is somebody with a password.
func (b *bundle) person(role identity.Role) identitytest.Person {
	b.t.Helper()
	p := b.signer.SignIn(b.db, role)
	hash, err := credential.NewHasher(credential.PasswordConfig{}).Hash(b.t.Context(), goodPassword)
	if err != nil {
		b.t.Fatal(err)
	}
	b.exec(`UPDATE users SET password_hash = $2 WHERE id = $1`, p.ID, hash)
	return p
}

func (b *bundle) exec(sql string, args ...any) {
	b.t.Helper()
	if _, err := b.db.Exec(b.t.Context(), sql, args...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bundle) count(sql string, args ...any) int {
	b.t.Helper()
	var n int
	if err := b.db.QueryRow(b.t.Context(), sql, args...).Scan(&n); err != nil {
		b.t.Fatal(err)
	}
	return n
}

func TestOwnProfile(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me := b.person(identity.Citizen)
	a := b.WithToken(me.Token).Do(http.MethodGet, "/users/me", nil).Want(200)
	for _, name := range []string{"id", "_id", "email", "full_name", "name", "phone_number", "phonenumber", "country", "instagram",
		"avatar_url", "role", "auth_provider", "is_verified", "is_active", "preferred_language", "share_contact", "reports_count",
		"fixed_reports_count", "created_at", "last_login_at"} {
		if _, there := a.Object().Values[name]; !there {
			t.Errorf("%s is missing", name)
		}
	}
	if strings.Contains(string(a.Body), "password") || strings.Contains(string(a.Body), "argon2") || a.Object().Text("_id") != me.ID.String() {
		t.Errorf("profile: %s", a.Body)
	}
	if a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("a profile may be kept: %v", a.Header)
	}
	b.Do(http.MethodGet, "/users/me", nil).WantProblem(401, "token_missing")

	a = b.WithToken(me.Token).Do(http.MethodPatch, "/users/me", fields{"full_name": " Maria  Pires ", "phonenumber": "+670 7700 1122",
		"preferred_language": "TET", "country": "Timor-Leste", "instagram": "@maria", "share_contact": true,
		"notification_prefs": fields{"push": false}, "role": "admin"}).Want(200)
	if a.Object().Text("full_name") != "Maria Pires" || a.Object().Text("phone_number") != "+670 7700 1122" || a.Object().Text("instagram") != "maria" ||
		a.Object().Text("preferred_language") != "tet" || a.Object().Text("role") != "citizen" {
		t.Errorf("changed: %s", a.Body)
	}
	a = b.WithToken(me.Token).Do(http.MethodPatch, "/users/me", fields{"phone_number": nil, "country": ""}).Want(200)
	if prefs, _ := a.Object().Values["notification_prefs"].(map[string]any); len(prefs) != 1 || prefs["push"] != false {
		t.Errorf("what the person wants to be told by: %v", a.Object().Values["notification_prefs"])
	}
	if a.Object().Values["phone_number"] != nil || a.Object().Values["country"] != nil || a.Object().Text("instagram") != "maria" {
		t.Errorf("cleared: %s", a.Body)
	}
	for name, value := range (fields{"preferred_language": "fr", "full_name": " ", "phone_number": "call me", "avatar_upload_id": "x"}) {
		b.WithToken(me.Token).Do(http.MethodPatch, "/users/me", fields{name: value}).WantProblem(422, "invalid_input")
	}
}

// The journey client writes its whole user back. Where nothing differs, the row stays as it is.
func TestAProfileThatIsTheSameIsNotChanged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.signer.SignIn(b.db, identity.Citizen)
	as := b.WithToken(p.Token)
	body := fields{"full_name": "Maria", "phone_number": "+67077001122", "country": nil, "share_contact": true, "preferred_language": "pt",
		"notification_prefs": fields{"push": false, "muted": []string{"comment_added"}}}
	row := func() string {
		t.Helper()
		var out string
		if err := b.db.QueryRow(t.Context(), `SELECT concat(u.*, u.xmin) FROM users u WHERE id = $1`, p.ID).Scan(&out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	as.Do(http.MethodPatch, "/users/me", body).Want(http.StatusOK)
	before := row()
	as.Do(http.MethodPatch, "/users/me", body).Want(http.StatusOK)
	as.Do(http.MethodPut, "/users/"+p.ID.String(), as.Do(http.MethodGet, "/users/me", nil).Object().Values).Want(http.StatusOK)
	if row() != before {
		t.Error("the same profile again was written")
	}
	if as.Do(http.MethodPatch, "/users/me", fields{"country": "Timor-Leste"}).Want(http.StatusOK); row() == before {
		t.Error("a change was not written")
	}
}

func TestOthersSeeOnlyPublicFields(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me, other, admin := b.person(identity.Citizen), b.person(identity.Citizen), b.person(identity.Admin)
	b.exec(`UPDATE users SET phone_number = '+67077001122', instagram = 'maria' WHERE id = $1`, me.ID)
	path := "/users/" + me.ID.String()
	a := b.WithToken(other.Token).Do(http.MethodGet, path, nil).Want(200)
	for _, hidden := range []string{"email", "phone_number", "phonenumber", "instagram", "role", "is_active", "last_login_at", "notification_prefs"} {
		if _, there := a.Object().Values[hidden]; there {
			t.Errorf("a stranger sees %s", hidden)
		}
	}
	b.exec(`UPDATE users SET share_contact = true WHERE id = $1`, me.ID)
	a = b.WithToken(other.Token).Do(http.MethodGet, path, nil).Want(200)
	if a.Object().Text("phonenumber") != "+67077001122" || a.Object().Text("instagram") != "maria" || a.Object().Values["email"] != nil {
		t.Errorf("sharing: %s", a.Body)
	}
	if a := b.WithToken(admin.Token).Do(http.MethodGet, path, nil).Want(200); a.Object().Text("email") != me.Email {
		t.Errorf("an administrator sees %s", a.Body)
	}
	b.WithToken(me.Token).Do(http.MethodGet, "/users/"+uuid.NewString(), nil).WantProblem(404, "user_not_found")
	b.WithToken(me.Token).Do(http.MethodGet, "/users/nobody", nil).WantProblem(422, "invalid_input")
}

func TestJourneyClientWritesItsWholeUserBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me, other := b.person(identity.Citizen), b.person(identity.Citizen)
	path := "/users/" + me.ID.String()
	body := b.WithToken(me.Token).Do(http.MethodGet, path, nil).Want(200).Object().Values
	body["name"], body["phonenumber"], body["country"], body["instagram"] = "Heidi Rider", "", "Suíça", "@heidi"
	body["role"], body["is_verified"], body["_id"] = "admin", false, uuid.NewString()
	a := b.WithToken(me.Token).Do(http.MethodPut, path, body).Want(200)
	if a.Object().Text("name") != "Heidi Rider" || a.Object().Text("country") != "Suíça" || a.Object().Text("role") != "citizen" || a.Object().Values["is_verified"] != true ||
		a.Object().Text("_id") != me.ID.String() {
		t.Errorf("written: %s", a.Body)
	}
	for _, ignored := range []any{nil, ""} {
		body["password"] = ignored
		b.WithToken(me.Token).Do(http.MethodPut, path, body).Want(200)
	}
	body["password"] = "new-Password-1"
	b.WithToken(me.Token).Do(http.MethodPut, path, body).WantProblem(400, "password_not_changed_here")
	delete(body, "password")
	b.WithToken(other.Token).Do(http.MethodPut, path, body).WantProblem(403, "forbidden")
	body["email"] = "somebody@else.tl"
	b.WithToken(me.Token).Do(http.MethodPut, path, body).WantProblem(422, "invalid_input")
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me := b.person(identity.Citizen)
	const path = "/users/me/change-password"
	wrong := b.WithToken(me.Token).Do(http.MethodPost, path, fields{"current_password": "wrong", "new_password": "ponte-Comoro-77"}).WantProblem(400, "invalid_credentials")
	if detail := strings.ToLower(wrong.Object().Text("detail")); strings.Contains(detail, "token") || strings.Contains(detail, "expired") {
		t.Errorf("clients sign out on %q", detail)
	}
	b.WithToken(me.Token).Do(http.MethodPost, path, fields{"current_password": goodPassword, "new_password": "password123"}).WantProblem(422, "invalid_input")
	var second uuid.UUID
	const session = `INSERT INTO sessions (id, user_id, expires_at) VALUES (gen_random_uuid(), $1, now() + interval '1 day') RETURNING id`
	if err := b.db.QueryRow(t.Context(), session, me.ID).Scan(&second); err != nil {
		t.Fatal(err)
	}
	elsewhere := b.signer.Token(me.ID, identity.Citizen, second)
	b.WithToken(elsewhere).Do(http.MethodGet, "/users/me", nil).Want(200)
	b.WithToken(me.Token).Do(http.MethodPost, path, fields{"current_password": goodPassword, "new_password": "ponte-Comoro-77"}).Want(200)
	b.WithToken(elsewhere).Do(http.MethodGet, "/users/me", nil).WantProblem(401, "token_invalid")
	b.WithToken(me.Token).Do(http.MethodGet, "/users/me", nil).Want(200)
	b.WithToken(me.Token).Do(http.MethodPost, path, fields{"current_password": goodPassword, "new_password": "mota-Loes-2030"}).WantProblem(400, "invalid_credentials")
}

func TestSessionsAndDevices(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me, other := b.person(identity.Citizen), b.person(identity.Citizen)
	var second string
	const session = `INSERT INTO sessions (id, user_id, device_id, expires_at) VALUES (gen_random_uuid(), $1, 'tablet', now() + interval '1 day') RETURNING id`
	if err := b.db.QueryRow(t.Context(), session, me.ID).Scan(&second); err != nil {
		t.Fatal(err)
	}
	items := b.WithToken(me.Token).Do(http.MethodGet, "/users/me/sessions", nil).Want(200).Object().Items("items")
	if len(items) != 2 || items[0].At("current") == items[1].At("current") {
		t.Fatalf("sessions: %v", items)
	}
	b.WithToken(other.Token).Do(http.MethodDelete, "/users/me/sessions/"+second, nil).WantProblem(404, "session_not_found")
	b.WithToken(me.Token).Do(http.MethodDelete, "/users/me/sessions/"+second, nil).Want(200)
	b.WithToken(me.Token).Do(http.MethodDelete, "/users/me/sessions/"+second, nil).WantProblem(404, "session_not_found")

	device := fields{"platform": "Android", "fcm_token": "fcm-1", "model": "A14"}
	a := b.WithToken(me.Token).Do(http.MethodPut, "/users/me/devices/phone-1", device).Want(200)
	if a.Object().Text("platform") != "android" || a.Object().Values["push"] != true || a.Object().Text("device_id") != "phone-1" {
		t.Errorf("device: %s", a.Body)
	}
	b.WithToken(me.Token).Do(http.MethodPut, "/users/me/devices/phone-1", fields{"platform": "toaster"}).WantProblem(422, "invalid_input")
	odd := fields{"platform": "android", "fcm_token": "token-1", "model": fields{}, "app_version": []int{}, "os_version": 14}
	if n := len(b.WithToken(me.Token).Do(http.MethodPut, "/users/me/devices/phone-1", odd).Want(200).Object().Items("warnings")); n != 2 {
		t.Errorf("%d warnings, want 2", n)
	}
	b.WithToken(other.Token).Do(http.MethodPut, "/users/me/devices/phone-1", device).Want(200)
	if n := b.count(`SELECT count(*) FROM devices WHERE fcm_token = 'fcm-1' AND user_id = $1`, other.ID); n != 1 {
		t.Error("the push token stayed with who signed in before")
	}
	b.WithToken(me.Token).Do(http.MethodDelete, "/users/me/devices/phone-1", nil).Want(200)
	b.WithToken(me.Token).Do(http.MethodDelete, "/users/me/devices/phone-1", nil).WantProblem(404, "device_not_found")
}

func TestAvatar(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me, other := b.person(identity.Citizen), b.person(identity.Citizen)
	upload := func(owner uuid.UUID) string {
		t.Helper()
		id := uuid.NewString()
		b.exec(`INSERT INTO uploads (id, user_id, s3_key, content_type, size_bytes, state, expires_at)
			VALUES ($1, $2, $3, 'image/jpeg', 100, 'processed', now() + interval '1 day')`, id, owner, "originals/"+id)
		return id
	}
	b.WithToken(me.Token).Do(http.MethodPatch, "/users/me", fields{"avatar_upload_id": upload(other.ID)}).WantProblem(422, "upload_not_found")
	first := upload(me.ID)
	a := b.WithToken(me.Token).Do(http.MethodPatch, "/users/me", fields{"avatar_upload_id": first}).Want(200)
	path := strings.TrimPrefix(a.Object().Text("avatar_url")[strings.Index(a.Object().Text("avatar_url"), "/api/v1"):], "/api/v1")
	seen := b.Do(http.MethodGet, path, nil).Want(302)
	if !strings.Contains(seen.Header.Get("Location"), "renditions/"+first+"/thumbnail.jpg") {
		t.Errorf("leads to %s", seen.Header.Get("Location"))
	}
	b.WithToken(me.Token).Do(http.MethodPatch, "/users/me", fields{"avatar_upload_id": upload(me.ID)}).Want(200)
	if n := b.count(`SELECT count(*) FROM uploads WHERE id = $1 AND attached_at IS NULL AND expires_at <= now()`, first); n != 1 {
		t.Error("the old picture stays")
	}
	b.WithToken(me.Token).Do(http.MethodPatch, "/users/me", fields{"avatar_upload_id": nil}).Want(200)
	b.Do(http.MethodGet, path, nil).Want(404)
}

func TestExportHoldsEverything(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me, other := b.person(identity.Citizen), b.person(identity.Citizen)
	for _, p := range []identitytest.Person{me, other} {
		b.exec(`INSERT INTO journeys (id, user_id, name) VALUES (gen_random_uuid(), $1, $2)`, p.ID, "Journey of "+p.ID.String())
		b.exec(`WITH t AS (INSERT INTO tracks (id, journey_id, name, kind, as_route, content_hash, points, length_m)
				SELECT gen_random_uuid(), id, 'Track of ' || user_id, 'recorded', false, sha256('x'), 2, 1 FROM journeys WHERE user_id = $1 RETURNING id)
			INSERT INTO track_points (track_id, seq, segment, lons, lats) SELECT id, 0, 0, '{1255000000,1255000001}', '{-85000000,-85000001}' FROM t`, p.ID)
	}
	a := b.WithToken(me.Token).Do(http.MethodGet, "/users/me/export", nil).Want(200)
	if !strings.Contains(string(a.Body), "Journey of "+me.ID.String()) || strings.Contains(string(a.Body), other.ID.String()) || strings.Contains(string(a.Body), "argon2") {
		t.Errorf("export: %s", a.Body)
	}
	records, _ := a.Object().Values["records"].(map[string]any)
	sessions, _ := records["sessions"].([]any)
	if len(sessions) != 1 {
		t.Fatalf("sessions: %v", records["sessions"])
	}
	if tracks := a.Object().Items("records.tracks"); len(tracks) != 1 || tracks[0].Text("name") != "Track of "+me.ID.String() {
		t.Errorf("tracks: %v", tracks)
	}
	if points := a.Object().Items("records.track_points"); len(points) != 1 || !strings.Contains(fmt.Sprint(points[0].Values["longitudes_e7"]), "1.255e+09") {
		t.Errorf("points: %v", points)
	}
	first, _ := sessions[0].(map[string]any)
	created, _ := first["created_at"].(string)
	if _, err := time.Parse("2006-01-02T15:04:05.000Z", created); err != nil {
		t.Errorf("time %q is not in wire form", created)
	}
	if a.Header.Get("Cache-Control") != "no-store" {
		t.Error("may be cached")
	}
}

// A notification has the words of a comment. When the comment is hidden or deleted, an export has them no more.
func TestTheExportHasNoHiddenCommentOfOthers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me, author := b.person(identity.Citizen), b.person(identity.Citizen)
	about, comment := uuid.New(), uuid.New()
	b.exec(`INSERT INTO reports (id, report_number, content_hash, issue_type, latitude, longitude, status) VALUES ($1, 'LS-2026-000009', '', 'pothole', -8.55, 125.57, 'verified')`, about)
	b.exec(`INSERT INTO report_comments (id, report_id, author_id, content, is_official) VALUES ($1, $2, $3, 'the words', false)`, comment, about, author.ID)
	b.exec(`INSERT INTO notifications (id, user_id, type, event_key, report_id, params) VALUES (gen_random_uuid(), $1, 'comment_added', 'comment:' || $2::text, $3,
		'{"report_number": "LS-2026-000009", "author": "Rui", "comment": "the words"}')`, me.ID, comment, about)
	for _, step := range []struct {
		change string
		want   bool
	}{
		{`SELECT 1`, true},
		{`UPDATE report_comments SET hidden = 'moderator', hidden_reason = 'offensive'`, false},
		{`UPDATE report_comments SET hidden = NULL, hidden_reason = NULL, deleted_at = now()`, false},
		{`UPDATE report_comments SET deleted_at = NULL`, true},
		{`UPDATE reports SET status = 'rejected', reason_code = 'offensive'`, false},
	} {
		b.exec(step.change)
		if body := string(b.WithToken(me.Token).Do(http.MethodGet, "/users/me/export", nil).Want(200).Body); strings.Contains(body, "the words") != step.want {
			t.Errorf("after %s the export has the words: %v", step.change, !step.want)
		}
	}
}

// An answer through the gateway has at most 6 MB. The data of one person may be more.
func TestALongExportComesInParts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me := b.person(identity.Citizen)
	const told, journeys = 20_000, 3
	b.exec(`INSERT INTO notifications (id, user_id, type, event_key, params, created_at)
		SELECT gen_random_uuid(), $1, 'announcement', n::text, jsonb_build_object('title', repeat('x', 300)), now() - n / 5 * interval '1 second'
		FROM generate_series(1, $2) n`, me.ID, told)
	b.exec(`INSERT INTO journeys (id, user_id, name) SELECT gen_random_uuid(), $1, 'Over the hills' FROM generate_series(1, $2)`, me.ID, journeys)
	seen := map[any]int{}
	answers, path := 0, "/users/me/export"
	for path != "" {
		a := b.WithToken(me.Token).Do(http.MethodGet, path, nil).Want(200)
		if answers++; len(a.Body) > 6_000_000 || answers > 10 {
			t.Fatalf("answer %d has %d bytes", answers, len(a.Body))
		}
		records, _ := a.Object().Values["records"].(map[string]any)
		if len(records) < 16 || a.Object().Values["profile"] == nil {
			t.Fatalf("answer %d has another form", answers)
		}
		for _, kind := range []string{"notifications", "journeys"} {
			list, _ := records[kind].([]any)
			for _, item := range list {
				record, _ := item.(map[string]any)
				seen[record["id"]]++
			}
		}
		path = ""
		if next := a.Object().Text("next_cursor"); next != "" {
			path = "/users/me/export?cursor=" + next
		}
	}
	if answers < 2 || len(seen) != told+journeys {
		t.Errorf("%d records in %d answers, want %d", len(seen), answers, told+journeys)
	}
	b.WithToken(me.Token).Do(http.MethodGet, "/users/me/export?cursor=OTkuMQ", nil).WantProblem(422, "invalid_input")
}
