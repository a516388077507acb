package notification

import (
	"encoding/json"
	"slices"

	"github.com/lafaekstreet/backend/shared/locale"
)

// Prefs says by which channels a person wants notifications. It is stored as JSON in
// users.notification_prefs. An absent value means yes. The app lists all notifications
// in any case.
type Prefs struct {
	_     struct{} `schema:"NotificationPrefs"`
	Email *bool    `json:"email,omitempty" doc:"Mail about reports"`
	Push  *bool    `json:"push,omitempty" doc:"Push messages"`
	// Muted types are neither mailed nor pushed.
	Muted []Type `json:"muted,omitempty" maxItems:"50" doc:"Types neither mailed nor pushed; also digest and alerts, the daily mails"`
}

// Read checks the muted words, which may be written in another case, and returns each once; false for an unknown one.
func (p Prefs) Read() (Prefs, bool) {
	known := append(Types(), Type(Digest), Type(Alerts))
	var muted []Type
	for _, t := range p.Muted {
		t = Type(locale.FoldWord(string(t)))
		if !slices.Contains(known, t) {
			return p, false
		}
		if !slices.Contains(muted, t) {
			muted = append(muted, t)
		}
	}
	p.Muted = muted
	return p, true
}

// ParsePrefs reads users.notification_prefs. If it cannot be read, every channel is wanted.
func ParsePrefs(raw []byte) Prefs {
	var p Prefs
	if json.Unmarshal(raw, &p) != nil {
		return Prefs{}
	}
	return p
}

// Mail reports whether t may be mailed.
func (p Prefs) Mail(t Type) bool { return wanted(p.Email) && !slices.Contains(p.Muted, t) }

// PushTo reports whether t may be pushed.
func (p Prefs) PushTo(t Type) bool { return wanted(p.Push) && !slices.Contains(p.Muted, t) }

func wanted(b *bool) bool { return b == nil || *b }
