package mail

import (
	"encoding/base64"
	"errors"
	"strings"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/seal"
)

// ErrStopToken reports a token that StopToken did not make.
var ErrStopToken = errors.New("token does not name mails to end")

const (
	stopPurpose = "stop mails"
	stopMAC     = 16 // bytes of the MAC that a token has
)

// StopToken names a Stop in an address. Nobody can make one for another person. It has no time limit: it holds as long as
// the key that made it is among the keys of the system.
func StopToken(s *seal.Sealer, stop Stop) string {
	text := append(stop.ID[:], stop.Kind...)
	return base64.RawURLEncoding.EncodeToString(append(text, s.MAC(stopPurpose, text)[:stopMAC]...))
}

// ParseStopToken returns what StopToken was given, else ErrStopToken.
func ParseStopToken(s *seal.Sealer, token string) (Stop, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || strings.ContainsAny(token, "\r\n") || len(raw) <= len(uuid.UUID{})+stopMAC { // the decoder skips line breaks
		return Stop{}, ErrStopToken
	}
	text, mac := raw[:len(raw)-stopMAC], raw[len(raw)-stopMAC:]
	if !s.CheckShortMAC(stopPurpose, mac, text) {
		return Stop{}, ErrStopToken
	}
	var out Stop
	out.Kind = StopKind(text[copy(out.ID[:], text):])
	return out, nil
}
