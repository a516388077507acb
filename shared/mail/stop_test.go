package mail_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/seal"
)

func sealer(t *testing.T, keys ...byte) *seal.Sealer {
	t.Helper()
	var c seal.Config
	for _, b := range keys {
		c.Keys = append(c.Keys, base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32)))
	}
	s, err := seal.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A token names one kind of mail of one person. Another key, and each change of a character, makes it void.
func TestStopToken(t *testing.T) {
	t.Parallel()
	stop := mail.Stop{Kind: "report_fixed", ID: uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8057")}
	token := mail.StopToken(sealer(t, 1), stop)
	if got, err := mail.ParseStopToken(sealer(t, 2, 1), token); err != nil || got != stop {
		t.Errorf("after a new key: %v, %v", got, err)
	}
	if _, err := mail.ParseStopToken(sealer(t, 2), token); !errors.Is(err, mail.ErrStopToken) {
		t.Errorf("without its key: %v", err)
	}
	for i := range token {
		for _, c := range []string{"A", "b", "-", "", "=", "/"} {
			if changed := token[:i] + c + token[i+1:]; changed != token {
				if got, err := mail.ParseStopToken(sealer(t, 1), changed); err == nil {
					t.Errorf("%s is %v", changed, got)
				}
			}
		}
	}
	for _, bad := range []string{"", "A", strings.Repeat("A", 43), strings.Repeat("A", 2000), token + token, token + "\n"} {
		if _, err := mail.ParseStopToken(sealer(t, 1), bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
