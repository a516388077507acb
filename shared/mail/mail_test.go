package mail_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"testing"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/seal"
)

func TestMailTravelsSealed(t *testing.T) {
	t.Parallel()
	key := func(b byte) *seal.Sealer {
		s, err := seal.New(seal.Config{Keys: []string{base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32))}})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	sent := mail.Message{To: "ana@example.tl", Language: locale.Tetum, Template: mail.RegistrationCode, Params: map[string]string{"code": "123456"}}
	sealed, err := mail.Seal(key(1), sent)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("ana")) || bytes.Contains(sealed, []byte("123456")) {
		t.Error("the sealed mail can be read")
	}
	got, err := mail.Open(key(1), sealed)
	if err != nil || got.To != sent.To || got.Params["code"] != "123456" {
		t.Errorf("opened %+v, %v", got, err)
	}
	if _, err := mail.Open(key(2), sealed); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("another key opened it: %v", err)
	}
}

func TestEveryTemplateHasItsTexts(t *testing.T) {
	t.Parallel()
	catalog, err := locale.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	for _, template := range mail.Templates() {
		for _, part := range []string{"subject", "text"} {
			for _, l := range locale.Languages() {
				if catalog["mail."+string(template)+"."+part][l] == "" {
					t.Errorf("mail %s has no %s in %s", template, part, l)
				}
			}
		}
	}
}
