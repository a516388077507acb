package auth_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lafaekstreet/backend/shared/config"
)

// unlimited takes the limits out of tests that are about something else.
func unlimited() config.Env {
	return config.Env{"RATE_LIMIT_AUTH_PER_MINUTE": "100000", "RATE_LIMIT_ADDRESS_PER_MINUTE": "100000",
		"RATE_LIMIT_USER_PER_MINUTE": "100000", "RATE_LIMIT_USER_BURST": "100000"}
}

// Many calls of an app find that the access token has ended, and all refresh it at
// once. On two instances all get the same tokens, and the session goes on.
func TestParallelRefreshesGetTheSameTokens(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	second := s.open()
	token := s.signedUp("ana@example.tl").text("refresh_token")
	pairs := make([]string, 50)
	var wg sync.WaitGroup
	for i := range pairs {
		wg.Go(func() {
			r := request{path: "/auth/refresh", body: fields{"refresh_token": token}}
			if i%2 == 1 {
				r.instance = second
			}
			a := s.do(r)
			if a.status != 200 {
				t.Errorf("call %d: %d %s", i, a.status, a.raw)
			}
			pairs[i] = a.text("refresh_token") + " " + a.text("access_token")
		})
	}
	wg.Wait()
	for i, pair := range pairs {
		if pair != pairs[0] {
			t.Fatalf("call %d got another pair than the first", i)
		}
	}
	var tokens int
	if err := s.db.QueryRow(t.Context(), `SELECT count(*) FROM refresh_tokens`).Scan(&tokens); err != nil || tokens != 2 {
		t.Errorf("%d refresh tokens are stored, want 2 (%v)", tokens, err)
	}
	var next string
	if _, err := fmt.Sscan(pairs[0], &next); err != nil {
		t.Fatal(err)
	}
	s.expect(s.post("/auth/refresh", fields{"refresh_token": next}), 200, "")
}

// family is what the rules say about the tokens of one session.
type family struct {
	tokens   []string // in the order they were handed out
	created  []time.Time
	swapped  []time.Time
	forgiven map[int]bool
	revoked  bool
	lastUsed time.Time
}

// expected is what presenting token i at now must bring: the index of the token that comes back, or a code. device says
// that the client names its device.
func (f *family) expected(i int, now time.Time, device bool) (int, string) {
	newest := len(f.tokens) - 1
	switch {
	case i == newest && f.revoked:
		return 0, "token_invalid"
	case i == newest && !now.Before(f.lastUsed.Add(60*24*time.Hour)):
		return 0, "token_expired"
	case i == newest:
		return newest + 1, ""
	case i == newest-1 && !f.revoked && now.Sub(f.swapped[i]) <= 60*time.Second:
		return newest, ""
	case i == newest-1 && !f.revoked && device && !f.forgiven[i] && now.Before(f.created[i].Add(60*24*time.Hour)):
		f.forgiven[i], f.swapped[i], f.lastUsed = true, now, now
		f.created[newest] = now // handed out again, its 60 days start anew
		return newest, ""
	}
	return 0, "token_reused"
}

// Old and new tokens are sent in any order, with any time between. The rules hold: one token is valid; the one before it
// brings the same tokens for 60 seconds, and once more later for the same device; the use of any other ends the session.
func TestRefreshFamilyFollowsItsRules(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	s.signedUp("ana@example.tl")
	rapid.Check(t, func(r *rapid.T) {
		first := s.expect(s.post("/auth/login", fields{"email": "ana@example.tl", "password": goodPassword,
			"device": fields{"device_id": "phone-1", "platform": "android"}}), 200, "").text("refresh_token")
		f := &family{tokens: []string{first}, created: []time.Time{s.clock.Now()}, lastUsed: s.clock.Now(), forgiven: map[int]bool{}}
		for range rapid.IntRange(1, 12).Draw(r, "steps") {
			pauses := []time.Duration{0, time.Second, 59 * time.Second, 61 * time.Second, time.Hour, 31 * 24 * time.Hour, 61 * 24 * time.Hour}
			s.clock.Advance(rapid.SampledFrom(pauses).Draw(r, "pause"))
			// Mostly the newest ones: older tokens end the story at once.
			i := len(f.tokens) - 1 - min(rapid.IntRange(0, 5).Draw(r, "age"), len(f.tokens)-1)
			if rapid.IntRange(0, 2).Draw(r, "fresh") > 0 {
				i = max(0, len(f.tokens)-1-rapid.IntRange(0, 1).Draw(r, "parent"))
			}
			device := rapid.SampledFrom([]string{"phone-1", "phone-1", "phone-2", ""}).Draw(r, "device")
			now := s.clock.Now()
			want, code := f.expected(i, now, device == "phone-1")
			a := s.post("/auth/refresh", fields{"refresh_token": f.tokens[i], "device_id": device})
			if code != "" {
				if a.status != 401 || a.code() != code {
					r.Fatalf("token %d of %d: got %d %s, want %s", i, len(f.tokens), a.status, a.code(), code)
				}
				f.revoked = f.revoked || code == "token_reused"
				continue
			}
			if a.status != 200 || !s.stands(a.text("access_token")) {
				r.Fatalf("token %d of %d: got %d %s, want token %d", i, len(f.tokens), a.status, a.code(), want)
			}
			if want == len(f.tokens) {
				f.tokens, f.created = append(f.tokens, a.text("refresh_token")), append(f.created, now)
				f.swapped, f.lastUsed = append(f.swapped, now), now
			} else if a.text("refresh_token") != f.tokens[want] {
				r.Fatalf("token %d of %d: got another pair than before", i, len(f.tokens))
			}
		}
	})
}

// A phone lost the answer, was off for two hours, and asks again several times at once.
func TestALostRefreshAnswerIsForgivenOnce(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	signedUp := s.signedUp("ana@example.tl")
	s.exec(`INSERT INTO devices (user_id, device_id, platform, session_id) SELECT user_id, 'phone-1', 'ios', id FROM sessions`)
	first := signedUp.text("refresh_token")
	lost := s.expect(s.post("/auth/refresh", fields{"refresh_token": first}), 200, "")
	s.clock.Advance(2 * time.Hour)
	answers := make([]answer, 4)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() { answers[i] = s.post("/auth/refresh", fields{"refresh_token": first, "device_id": "phone-1"}) })
	}
	wg.Wait()
	for i, a := range answers {
		if a.status != 200 || a.text("refresh_token") != lost.text("refresh_token") || a.text("access_token") != answers[0].text("access_token") {
			t.Errorf("call %d: %d %s", i, a.status, a.raw)
		}
	}
	if !s.stands(answers[0].text("access_token")) {
		t.Error("the access token has ended")
	}
	s.clock.Advance(2 * time.Minute)
	s.expect(s.post("/auth/refresh", fields{"refresh_token": first, "device_id": "phone-1"}), 401, "token_reused") // once
	s.expect(s.post("/auth/refresh", fields{"refresh_token": lost.text("refresh_token")}), 401, "token_invalid")
}
