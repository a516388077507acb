package credential

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/alexedwards/argon2id"
	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/text/unicode/norm"
)

// params are OWASP's minimum for Argon2id; m is in KiB.
var params = &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// nobody is a hash that no password has. Checking against it takes as long as checking
// against a real one, so the time does not reveal whether an account exists.
const nobody = "$argon2id$v=19$m=19456,t=2,p=1$bm8gcGFzc3dvcmQgaGFz$bm8gcGFzc3dvcmQgaGFzIHRoaXMgaGFzaCBldmVyISE"

// PasswordConfig bounds how much memory hashing takes.
type PasswordConfig struct {
	// Concurrent is how many hashes one process computes at once, at 19 MiB
	// each: a flood of sign-ins waits instead of exhausting memory.
	Concurrent int `env:"PASSWORD_CONCURRENCY" envDefault:"4"`
}

// Hasher hashes and checks passwords. Safe for concurrent use.
type Hasher struct {
	slots chan struct{}
}

// NewHasher bounds concurrent work by c.
func NewHasher(c PasswordConfig) *Hasher {
	return &Hasher{slots: make(chan struct{}, max(c.Concurrent, 1))}
}

// Hash is a fresh hash of password in PHC form. It fails only with ctx. Passwords are hashed in Unicode's form NFC:
// keyboards differ in how they send a letter with an accent.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer h.leave()
	hash, err := argon2id.CreateHash(norm.NFC.String(password), params)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return hash, nil
}

// HashWith is Hash with a given salt of 16 bytes: the same password has the same hash. The salt must be of this address
// alone, and not be known outside.
func (h *Hasher) HashWith(ctx context.Context, password string, salt []byte) (string, error) {
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer h.leave()
	key := argon2.IDKey([]byte(norm.NFC.String(password)), salt, params.Iterations, params.Memory, params.Parallelism, params.KeyLength)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, params.Memory, params.Iterations, params.Parallelism,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key)), nil
}

// forms are the Unicode forms of a password that a stored hash may be of, each once, NFC first. Versions before
// December 2026 hashed a password in the form it was typed in, which depends on the keyboard.
func forms(password string) []string {
	all := []string{norm.NFC.String(password)}
	for _, other := range []string{password, norm.NFD.String(password)} {
		if !slices.Contains(all, other) {
			all = append(all, other)
		}
	}
	return all
}

// Verdict is the outcome of a check.
type Verdict struct {
	Matches bool
	// Outdated asks for a fresh hash: this one is of bcrypt, of weaker parameters, or of another Unicode form.
	Outdated bool
}

// Check compares password with hash. An empty hash, of an unknown address or of an account
// without a password, matches nothing and takes the same time as a wrong password.
func (h *Hasher) Check(ctx context.Context, hash, password string) (Verdict, error) {
	if err := h.enter(ctx); err != nil {
		return Verdict{}, err
	}
	defer h.leave()
	for i, form := range forms(password) {
		v, err := check(hash, form)
		if err != nil || v.Matches {
			v.Outdated = v.Outdated || i > 0
			return v, err
		}
	}
	return Verdict{}, nil
}

func check(hash, password string) (Verdict, error) {
	if hash == "" {
		_, err := argon2id.ComparePasswordAndHash(password, nobody)
		return Verdict{}, err
	}
	if strings.HasPrefix(hash, "$2") {
		return checkBcrypt(hash, password)
	}
	ok, used, err := argon2id.CheckHash(password, hash)
	if err != nil {
		return Verdict{}, fmt.Errorf("check password: %w", err)
	}
	weaker := used.Memory < params.Memory || used.Iterations < params.Iterations
	return Verdict{Matches: ok, Outdated: ok && weaker}, nil
}

func checkBcrypt(hash, password string) (Verdict, error) {
	err := bcrypt.CompareHashAndPassword([]byte(hash), []byte(password))
	if errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		return Verdict{}, nil
	}
	if err != nil {
		return Verdict{}, fmt.Errorf("check password: %w", err)
	}
	return Verdict{Matches: true, Outdated: true}, nil
}

func (h *Hasher) enter(ctx context.Context) error {
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait to hash a password: %w", ctx.Err())
	}
}

func (h *Hasher) leave() { <-h.slots }
