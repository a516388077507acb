package security

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"

	"github.com/lafaekstreet/backend/functions/notify"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/fcm"
	"github.com/lafaekstreet/backend/infra/local/smtp"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/credential"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/seal"
)

const password = "rua-Aimutin-42"

// pushSystem is the API and the worker that sends push messages.
type pushSystem struct {
	*testenv.System
	worker queue.Handler
	pushes *fcm.Server
	sealer *seal.Sealer
}

func setupPush(t *testing.T) *pushSystem {
	t.Helper()
	w := setup(t)
	pushes, err := fcm.Start(fcm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pushes.Close() })
	mails, err := smtp.Start(smtp.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mails.Close() })
	w.Env["SMTP_URL"], w.Env["FCM_ENDPOINT"], w.Env["FCM_SERVICE_ACCOUNT"] = mails.URL(), pushes.URL(), string(pushes.ServiceAccount())
	worker, err := notify.Open(t.Context(), w.Env)
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := seal.New(seal.Config{Keys: []string{w.Env["SEAL_KEYS"]}})
	if err != nil {
		t.Fatal(err)
	}
	return &pushSystem{System: w, worker: worker, pushes: pushes, sealer: sealer}
}

// owner is a person with a phone and a computer that both get push messages. The phone registered its token after sign-in.
type owner struct {
	w               *pushSystem
	id              uuid.UUID
	email           string
	phone, computer *testenv.Client
	refresh         string // of the phone
	session         string // of the phone
}

// owner signs a person in on a phone and on a computer.
func (w *pushSystem) owner(role identity.Role) *owner {
	w.Helper()
	hash, err := credential.NewHasher(credential.PasswordConfig{}).Hash(w.Context(), password)
	if err != nil {
		w.Fatal(err)
	}
	p := w.Staff(role).Person
	w.Exec(`UPDATE users SET password_hash = $2 WHERE id = $1`, p.ID, hash)
	w.Exec(`DELETE FROM sessions WHERE user_id = $1`, p.ID)
	o := &owner{w: w, id: p.ID, email: p.Email}
	phone := o.signIn()
	o.phone, o.refresh = w.Anonymous().WithToken(phone.Text("access_token")), phone.Text("refresh_token")
	o.session = w.Text(`SELECT id::text FROM sessions WHERE user_id = $1`, o.id)
	o.computer = w.Anonymous().WithToken(o.signIn().Text("access_token"))
	o.phone.Do(http.MethodPut, "/users/me/devices/phone", object{"platform": "android", "fcm_token": o.token("phone")}).Want(http.StatusOK)
	o.computer.Do(http.MethodPut, "/users/me/devices/computer", object{"platform": "web", "fcm_token": o.token("computer")}).Want(http.StatusOK)
	return o
}

func (o *owner) signIn() apiclient.Object {
	o.w.Helper()
	return o.w.Anonymous().Post("/auth/login", object{"email": o.email, "password": password}).Want(http.StatusOK).Object()
}

// token is the push token of a device of o.
func (o *owner) token(device string) string { return device + "-" + o.id.String() }

// notification adds a notification of o and returns its message, as it waits in the queue.
func (o *owner) notification() string {
	o.w.Helper()
	id := database.NewID()
	o.w.Exec(`INSERT INTO notifications (id, user_id, type, event_key, params) VALUES ($1, $2, 'comment_added', $3, '{"author": "Rui"}')`, id, o.id, id.String())
	raw, err := json.Marshal(queue.NotifyMessage{NotificationID: &id})
	if err != nil {
		o.w.Fatal(err)
	}
	return string(raw)
}

// deliver delivers a message and returns how many push messages the phone and the computer of o have got so far.
func (o *owner) deliver(message string) (int, int) {
	o.w.Helper()
	out, err := o.w.worker.Handle(o.w.Context(), events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m", Body: message,
		Attributes: map[string]string{"ApproximateReceiveCount": "1"}}}})
	if err != nil || len(out.BatchItemFailures) > 0 {
		o.w.Fatalf("deliver: %v %v", out, err)
	}
	return len(o.w.pushes.Pushes(o.token("phone"))), len(o.w.pushes.Pushes(o.token("computer")))
}

// mailed is a parameter of the newest mail to o.
func (o *owner) mailed(param string) string {
	o.w.Helper()
	var m queue.NotifyMessage
	rows, err := o.w.DB.Query(o.w.Context(), `SELECT body FROM outbox WHERE queue = 'notify' ORDER BY created_at DESC, id DESC`)
	if err != nil {
		o.w.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&m); err != nil {
			o.w.Fatal(err)
		}
		if len(m.Mail) == 0 {
			continue
		}
		opened, err := mail.Open(o.w.sealer, m.Mail)
		if err != nil {
			o.w.Fatal(err)
		}
		if opened.To == o.email && opened.Params[param] != "" {
			return opened.Params[param]
		}
	}
	o.w.Fatalf("no mail to %s has %q", o.email, param)
	return ""
}

// totpCode is the code that an authenticator app shows now.
func totpCode(t testing.TB, secret string) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// end is one way in which the session of the phone ends.
type end struct {
	role identity.Role
	do   func(o *owner)
	all  bool // the session of the computer ends too
}

var ends = map[string]end{
	"logout": {do: func(o *owner) { o.phone.Post("/auth/logout", object{}).Want(http.StatusOK) }},
	"logout with the refresh token": {all: true, do: func(o *owner) {
		o.computer.Post("/auth/logout", object{"refresh_token": o.refresh}).Want(http.StatusOK)
	}},
	"logout everywhere": {all: true, do: func(o *owner) { o.computer.Post("/auth/logout", object{"all_devices": true}).Want(http.StatusOK) }},
	"end of a session":  {do: func(o *owner) { o.computer.Delete("/users/me/sessions/" + o.session).Want(http.StatusOK) }},
	"change of password": {do: func(o *owner) {
		o.computer.Post("/users/me/change-password", object{"current_password": password, "new_password": "ponte-Comoro-77"}).Want(http.StatusOK)
	}},
	"reset by code": {all: true, do: func(o *owner) {
		o.w.Anonymous().Post("/auth/forgot-password", object{"email": o.email}).Want(http.StatusOK)
		o.w.Anonymous().Post("/auth/reset-password", object{"email": o.email, "otp": o.mailed("code"), "new_password": "ponte-Comoro-77"}).Want(http.StatusOK)
	}},
	"reset by link": {all: true, do: func(o *owner) {
		o.w.Anonymous().Post("/users/reset-password", object{"email": o.email}).Want(http.StatusAccepted)
		_, token, _ := strings.Cut(o.mailed("link"), "token=")
		o.w.Anonymous().Post("/users/update-password", object{"token": token, "new_password": "ponte-Comoro-77"}).Want(http.StatusOK)
	}},
	"use of an old refresh token": {do: func(o *owner) {
		first := o.w.Anonymous().Post("/auth/refresh", object{"refresh_token": o.refresh}).Want(http.StatusOK).Object()
		o.w.Anonymous().Post("/auth/refresh", object{"refresh_token": first.Text("refresh_token")}).Want(http.StatusOK)
		o.w.Anonymous().Post("/auth/refresh", object{"refresh_token": o.refresh}).WantProblem(http.StatusUnauthorized, "token_reused")
	}},
	"too many sessions": {all: true, do: func(o *owner) {
		o.w.Exec(`INSERT INTO sessions (id, user_id, last_used_at, expires_at) SELECT gen_random_uuid(), $1, now() + interval '1 minute', now() + interval '1 day'
			FROM generate_series(1, 55)`, o.id)
		o.signIn()
	}},
	"suspension": {all: true, do: func(o *owner) {
		admin := o.w.Staff(identity.Admin)
		admin.Patch("/admin/users/"+o.id.String(), object{"suspended": true, "reason": "abuse"}).Want(http.StatusOK)
		admin.Patch("/admin/users/"+o.id.String(), object{"suspended": false}).Want(http.StatusOK)
	}},
	"second factor switched on": {role: identity.Moderator, do: func(o *owner) {
		secret := o.computer.Post("/auth/totp/enroll", nil).Want(http.StatusOK).Object().Text("secret")
		o.computer.Post("/auth/totp/confirm", object{"code": totpCode(o.w, secret)}).Want(http.StatusOK)
	}},
	"60 days without use": {do: func(o *owner) {
		o.w.Exec(`UPDATE sessions SET expires_at = now() - interval '1 second' WHERE id = $1`, o.session)
	}},
	"deletion of the account": {all: true, do: func(o *owner) {
		o.computer.Do(http.MethodDelete, "/users/me", object{"password": password}).Want(http.StatusOK)
	}},
}

// Whatever ends a session ends the push messages to its device, also those that wait in the queue. A device whose session
// goes on still gets them.
func TestASignedOutPhoneGetsNoPush(t *testing.T) {
	t.Parallel()
	w := setupPush(t)
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			role := end.role
			if role == "" {
				role = identity.Citizen
			}
			o := w.owner(role)
			if phone, computer := o.deliver(o.notification()); phone != 1 || computer != 1 {
				t.Fatalf("signed in: the phone got %d, the computer %d", phone, computer)
			}
			waiting := o.notification()
			end.do(o)
			want := 2
			if end.all {
				want = 1
			}
			if phone, computer := o.deliver(waiting); phone != 1 || computer != want {
				t.Errorf("afterwards the phone has got %d, the computer %d, want 1 and %d", phone, computer, want)
			}
		})
	}
}

// A phone that is signed in again, or passed on, gets push messages for the person who is signed in now.
func TestPushFollowsThePersonWhoIsSignedIn(t *testing.T) {
	t.Parallel()
	w := setupPush(t)
	ana, rui := w.owner(identity.Citizen), w.owner(identity.Citizen)
	ana.phone.Post("/auth/logout", object{}).Want(http.StatusOK)
	again := w.Anonymous().WithToken(ana.signIn().Text("access_token"))
	again.Do(http.MethodPut, "/users/me/devices/phone", object{"platform": "android", "fcm_token": ana.token("phone")}).Want(http.StatusOK)
	if phone, _ := ana.deliver(ana.notification()); phone != 1 {
		t.Errorf("signed in again: %d push messages, want 1", phone)
	}
	rui.phone.Do(http.MethodPut, "/users/me/devices/other", object{"platform": "android", "fcm_token": ana.token("phone")}).Want(http.StatusOK)
	if phone, _ := ana.deliver(ana.notification()); phone != 1 {
		t.Errorf("the phone is Rui's, and got Ana's push messages: %d, want 1", phone)
	}
	rui.deliver(rui.notification())
	if got := len(w.pushes.Pushes(ana.token("phone"))); got != 2 {
		t.Errorf("the phone is Rui's, and has got %d push messages, want 2", got)
	}
}

// A device that a function of an earlier version registered has no session. It goes on by the sessions of its account.
func TestDevicesOfTheEarlierVersionGoOn(t *testing.T) {
	t.Parallel()
	w := setupPush(t)
	o := w.owner(identity.Citizen)
	w.Exec(`UPDATE devices SET session_id = NULL WHERE user_id = $1`, o.id)
	w.Exec(`UPDATE sessions SET device_id = 'phone' WHERE id = $1`, o.session)
	if phone, computer := o.deliver(o.notification()); phone != 1 || computer != 1 {
		t.Fatalf("signed in: the phone got %d, the computer %d", phone, computer)
	}
	o.phone.Post("/auth/logout", object{}).Want(http.StatusOK)
	if phone, computer := o.deliver(o.notification()); phone != 1 || computer != 2 {
		t.Errorf("the session that named the phone has ended: the phone has got %d, the computer %d, want 1 and 2", phone, computer)
	}
	o.computer.Post("/auth/logout", object{}).Want(http.StatusOK)
	if phone, computer := o.deliver(o.notification()); phone != 1 || computer != 2 {
		t.Errorf("every session has ended: the phone has got %d, the computer %d, want 1 and 2", phone, computer)
	}
}
