package auth

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/credential"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/queue"
)

// Purposes of keyed hashes.
const (
	macFailures = "login failures"
	macPassword = "password fingerprint"
	macSalt     = "registration salt"
)

// asked is a request for a mail with a code or link.
type asked struct {
	credential.CodeRequest
	owner  person // zero when no account has the address
	mailed credential.Mailed
}

// look locks the address, then reads as readAsked does.
func (g *Group) look(ctx context.Context, tx *outbox.Tx, r credential.CodeRequest) (*asked, error) {
	g.codes.LockAddress(tx, r.Address)
	return g.readAsked(ctx, tx, r)
}

// readAsked reads the account of an address and what was mailed to it lately, in one round trip.
func (g *Group) readAsked(ctx context.Context, tx *outbox.Tx, r credential.CodeRequest) (*asked, error) {
	owner, mailed := askPerson(tx, byEmail, r.Address, false), g.codes.AskMailed(tx, r, g.networkAddresses)
	if err := tx.Flush(ctx); err != nil {
		return nil, fmt.Errorf("look at an address: %w", err)
	}
	return &asked{CodeRequest: r, owner: owner.Get(), mailed: mailed.Get()}, nil
}

// networkLimit is the 429 for a network that has had mails sent to too many addresses, else nil.
func (a *asked) networkLimit() error {
	if a.mailed.Network {
		return httpapi.TooManyRequests(a.mailed.Wait)
	}
	return nil
}

// proveNewest binds the mail to the newest registration of the address. For an address without an unconfirmed account
// it stores what it would store for one, so that later requests are answered alike. When the registration is not kept any more,
// the proof is a late one, which AskRegistered does not take for a registration.
func (g *Group) proveNewest(a *asked, unconfirmed bool) {
	a.Proof = a.mailed.Proof
	if unconfirmed {
		if hash := a.owner.passwordHash; !g.codes.Proves(a.mailed.Proof, a.Address, hash) {
			a.Proof = g.codes.LateProof(a.Address, hash)
		}
	}
}

// pretend stores and sends as much as a mail would, and mails nothing.
func (g *Group) pretend(ctx context.Context, tx *outbox.Tx, a *asked) error {
	g.codes.Issue(tx, a.CodeRequest, a.mailed, true)
	return sendNothing(ctx, tx)
}

// sendNothing sends a message that notify drops, because the notification that it names does not exist.
func sendNothing(ctx context.Context, tx *outbox.Tx) error {
	id := uuid.New()
	return tx.Send(ctx, queue.Notify, queue.NotifyMessage{NotificationID: &id})
}

// mailCode stores a new code and mails it. fullName is the name that the registration gave; other templates do not use it.
func (g *Group) mailCode(ctx context.Context, tx *outbox.Tx, a *asked, l locale.Language, fullName string) error {
	template := map[credential.CodePurpose]mail.Template{credential.ForRegistration: mail.RegistrationCode,
		credential.ForPasswordReset: mail.PasswordResetCode, credential.ForSignIn: mail.SignInCode}[a.Purpose]
	code := g.codes.Issue(tx, a.CodeRequest, a.mailed, false)
	return mail.Send(ctx, tx, g.sealer, mail.Message{To: a.Address, Language: l, Template: template,
		Expires: g.clock.Now().Add(credential.CodeLife),
		Params:  map[string]string{"code": code, "name": nameInMail(fullName), "minutes": minutes(credential.CodeLife)}})
}

func minutes(d time.Duration) string { return strconv.Itoa(int(d.Minutes())) }

// nameLength bounds a name in a mail, in characters.
const nameLength = 60

// nameInMail prepares a name for a mail. A stranger may have registered the address and chosen the name. So characters that
// make a link are removed, and the name is cut to nameLength.
func nameInMail(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsMark(r) || strings.ContainsRune(" -'’", r) {
			return r
		}
		return ' '
	}, name)
	name = strings.Join(strings.Fields(name), " ")
	if runes := []rune(name); len(runes) > nameLength {
		name = string(runes[:nameLength]) + "…"
	}
	if name == "" {
		return "—"
	}
	return name
}

// codeFor mails a code when the account of the address may use one for the purpose. Otherwise it pretends to.
func (g *Group) codeFor(ctx context.Context, tx *outbox.Tx, r credential.CodeRequest) (*asked, error) {
	a, err := g.look(ctx, tx, r)
	if err != nil || a.mailed.Wait > 0 {
		return a, err
	}
	may := a.owner.there() && !a.owner.suspended
	if r.Purpose == credential.ForRegistration {
		may = may && !a.owner.verified
		g.proveNewest(a, may)
	}
	if !may {
		return a, g.pretend(ctx, tx, a)
	}
	return a, g.mailCode(ctx, tx, a, a.owner.reader(), a.owner.fullName)
}

// consume marks a code as used and locks the account of the address, in one round trip. It fails with otp_expired
// when another request used the code first, or when the account was erased meanwhile.
func (g *Group) consume(ctx context.Context, tx *outbox.Tx, code credential.MailedCode, address string) (person, error) {
	used, p := g.codes.Consume(tx, code.ID), askPerson(tx, byEmail, address, true)
	if err := tx.Flush(ctx); err != nil {
		return person{}, fmt.Errorf("consume one-time code: %w", err)
	}
	if used.Get() == 0 || !p.Get().there() {
		return person{}, credential.ErrCodeExpired
	}
	return p.Get(), nil
}

// confirms reports whether a code or link with this proof, mailed at that time, confirms the password that p has now.
// Mails of versions before December 2026 have no proof: they hold while the account has not changed since.
func (g *Group) confirms(p person, proof []byte, mailedAt time.Time) bool {
	if proof == nil {
		return p.changed.Before(mailedAt.Add(time.Second))
	}
	return g.codes.Proves(proof, p.email, p.passwordHash) || g.codes.ProvesLate(proof, p.email, p.passwordHash)
}

// codePurpose reads the purpose of a mailed code as clients write it.
func codePurpose(s string) (credential.CodePurpose, error) {
	switch locale.FoldWord(s) {
	case "", string(credential.ForRegistration):
		return credential.ForRegistration, nil
	case string(credential.ForPasswordReset):
		return credential.ForPasswordReset, nil
	}
	return "", problem.InvalidField("purpose", "expected registration or password_reset")
}
