package auth

import (
	"context"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/credential"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/warning"
)

// Origin is the network address of the client. Lock-outs use it.
type Origin struct{ address string }

// Resolve implements huma.Resolver.
func (o *Origin) Resolve(hc huma.Context) []error {
	o.address = httpapi.HostOf(hc.RemoteAddr())
	return nil
}

// Platforms of a device.
const (
	platformAndroid = "android"
	platformIOS     = "ios"
	platformWeb     = "web"
)

// device is the phone or browser somebody signs in from.
type device struct {
	DeviceID   string `json:"device_id" minLength:"1" maxLength:"200" doc:"Chosen by the app; stable on one installation"`
	Platform   string `json:"platform" maxLength:"20" words:"android,ios,web" doc:"android, ios or web" example:"android"`
	AppVersion string `json:"app_version,omitempty" maxLength:"50"`
	OSVersion  string `json:"os_version,omitempty" maxLength:"50"`
	Model      string `json:"model,omitempty" maxLength:"100"`
	FCMToken   string `json:"fcm_token,omitempty" maxLength:"4096" doc:"Where Firebase delivers push messages"`
}

// known is a copy of d with its platform in lower case. For an unknown platform it is nil, and there is a warning.
func (d *device) known(ctx context.Context) *device {
	if d == nil {
		return nil
	}
	c := *d
	c.Platform = strings.ToLower(strings.TrimSpace(d.Platform))
	switch c.Platform {
	case platformAndroid, platformIOS, platformWeb:
		return &c
	}
	warning.FromContext(ctx).Add("device", warning.Unreadable)
	return nil
}

func checkedEmail(s string) (string, error) {
	address, ok := mail.ParseAddress(s)
	if !ok {
		return "", problem.InvalidField("email", "expected an e-mail address")
	}
	return address, nil
}

// newEmail is checkedEmail for an address that mail is to be sent to first. It refuses one with characters outside ASCII: the mail
// server cannot deliver to it (RFC 6531).
func newEmail(s string) (string, error) {
	address, err := checkedEmail(s)
	if err == nil && !mail.Deliverable(address) {
		return "", errEmailNotDeliverable
	}
	return address, err
}

// checkedPassword refuses a weak password, in the reader's language.
func checkedPassword(ctx context.Context, field, given, address string) error {
	weakness := credential.Weak(given, address)
	if weakness == "" {
		return nil
	}
	text := locale.TextFor(ctx, "password."+string(weakness))
	return problem.InvalidField(field, text)
}

// languageOr is the language s names, else the one the request is in, with a warning if s names another.
func languageOr(ctx context.Context, s string) locale.Language {
	if l, ok := locale.Parse(strings.ToLower(strings.TrimSpace(s))); ok {
		return l
	}
	if l, ok := locale.FromHeader(s); ok {
		return l
	}
	if s != "" {
		warning.FromContext(ctx).Add("preferred_language", warning.Unreadable)
	}
	return locale.FromContext(ctx)
}

// optional is nil for an empty text.
func optional(s string) *string {
	if s = strings.TrimSpace(s); s == "" {
		return nil
	}
	return &s
}
