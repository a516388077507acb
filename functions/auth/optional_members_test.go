package auth_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/google"
)

// warned are the members that an answer names as not kept.
func (a answer) warned() string {
	var names []string
	list, _ := a.body["warnings"].([]any)
	for _, w := range list {
		member, _ := w.(map[string]any)
		names = append(names, fmt.Sprint(member["field"]))
	}
	return strings.Join(names, " ")
}

func TestNothingThatIsSentKeepsSomebodySignedIn(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	s.signedUp("ana@example.tl")
	other := s.loggedIn("ana@example.tl").text("access_token")
	for body, warned := range map[string]string{
		`null`: "", `[]`: "body", `"x"`: "body", `7`: "body", `{"refresh_token": 123}`: "", `{"refresh_token": {}}`: "refresh_token",
		`{"all_devices": "ja"}`: "all_devices", `{"all_devices": null}`: "", `{"refresh_token": "` + strings.Repeat("x", 600) + `"}`: "refresh_token", `{}`: "",
	} {
		token := s.loggedIn("ana@example.tl").text("access_token")
		a := s.expect(s.do(request{path: "/auth/logout", token: token, body: json.RawMessage(body)}), 200, "")
		if a.warned() != warned || a.text("message") == "" {
			t.Errorf("%.40s: %s, want warnings about %q", body, a.raw, warned)
		}
		if s.stands(token) || !s.stands(other) {
			t.Errorf("%.40s: signed in %v, other session %v", body, s.stands(token), s.stands(other))
		}
	}
	token := s.loggedIn("ana@example.tl").text("access_token")
	header := map[string][]string{"Content-Type": {"application/json"}}
	s.expect(s.do(request{path: "/auth/logout", token: token, form: url.Values{"a": {"{"}}, header: header}), 200, "")
	if s.stands(token) {
		t.Error("a body that is not JSON keeps somebody signed in")
	}
	s.expect(s.do(request{path: "/auth/logout", token: s.loggedIn("ana@example.tl").text("access_token"), body: fields{"all_devices": true}}), 200, "")
	if s.stands(other) {
		t.Error("all_devices left a session")
	}
}

// devices are values of device that cannot be read, and what the warning is about.
var devices = map[string]string{`{}`: "device", `"phone"`: "device", `7`: "device", `[]`: "device", `{"device_id": "a", "platform": "windows"}`: "device",
	`{"device_id": "a"}`: "device", `{"device_id": "", "platform": "ios"}`: "device", `{"device_id": {}, "platform": "ios"}`: "device",
	`{"device_id": 7, "platform": "IOS"}`: "", `{"device_id": "a", "platform": "ios", "model": {}, "fcm_token": []}`: "device.fcm_token device.model"}

func TestADeviceThatCannotBeReadRefusesNoSignIn(t *testing.T) {
	t.Parallel()
	s := withGoogle(t)
	s.signedUp("ana@example.tl")
	n := 0
	for text, warned := range devices {
		n++
		device, address := json.RawMessage(text), fmt.Sprintf("a%d@example.tl", n)
		for path, body := range map[string]fields{
			"/auth/login":             {"email": "ana@example.tl", "password": goodPassword},
			"/auth/verify-otp":        {"email": address, "otp": s.registered(address)},
			"/auth/email-code/verify": {"email": "b" + address, "otp": s.emailCode("b" + address)},
			"/auth/google":            {"id_token": s.idToken(google.Identity{Email: "c" + address, Name: "Ana"})},
		} {
			body["device"] = device
			if a := s.post(path, body); a.status != 200 || a.text("access_token") == "" || a.warned() != warned {
				t.Errorf("%s with device %s: %d %.300s, want warnings about %q, got %q", path, text, a.status, a.raw, warned, a.warned())
			}
		}
	}
}

func TestOptionalMembersRefuseNoRegistration(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	a := s.expect(s.post("/auth/register", fields{"email": "ana@example.tl", "password": goodPassword, "full_name": "Ana", "phone_number": fields{"a": 1},
		"preferred_language": "klingon", "device": 7}), 201, "")
	if a.warned() != "device phone_number preferred_language" {
		t.Errorf("warnings: %s", a.raw)
	}
	a = s.expect(s.post("/auth/register", fields{"email": "rui@example.tl", "password": goodPassword, "full_name": "Rui", "phone_number": strings.Repeat("7", 33),
		"preferred_language": []int{1}}), 201, "")
	if a.warned() != "phone_number preferred_language" {
		t.Errorf("warnings: %s", a.raw)
	}
	s.expect(s.post("/users/register", fields{"email": "eva@example.tl", "password": goodPassword, "name": "Eva", "phonenumber": []int{}, "country": 7, "instagram": fields{}}), 201, "")
	// Names, addresses, passwords and codes are taken as they were sent, or refused.
	for _, body := range []fields{
		{"email": "x@example.tl", "password": goodPassword, "full_name": 7},
		{"email": "x@example.tl", "password": goodPassword, "full_name": strings.Repeat("n", 101)},
		{"email": "x@example.tl", "password": 1234567890123, "full_name": "X"},
		{"email": "x@example.tl", "password": strings.Repeat("p1", 600), "full_name": "X"},
		{"email": 7, "password": goodPassword, "full_name": "X"},
	} {
		s.expect(s.post("/auth/register", body), 422, "")
	}
	s.expect(s.post("/auth/resend-otp", fields{"email": "ana@example.tl", "purpose": fields{}}), 422, "")
}

// The body null is no body: what the query says counts.
func TestTheBodyNullIsNoBody(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	refresh := s.signedUp("ana@example.tl").text("refresh_token")
	for _, null := range []string{"null", " null\n"} {
		a := s.expect(s.do(request{path: "/auth/refresh?refresh_token=" + refresh, body: json.RawMessage(null)}), 200, "")
		refresh = a.text("refresh_token")
	}
	s.expect(s.do(request{path: "/users/reset-password?email=ana@example.tl", body: json.RawMessage("null")}), 202, "")
	if s.resetMails("ana@example.tl") != 1 {
		t.Error("no mail for the address in the query")
	}
}

func (s *system) resetMails(address string) int {
	n := 0
	for _, m := range s.mails(address) {
		if m.Template == "reset_link" {
			n++
		}
	}
	return n
}
