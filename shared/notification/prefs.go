package notification

import (
	"encoding/json"
	"slices"
)

// Prefs says by which channels a person wants notifications. It is stored as JSON in
// users.notification_prefs. An absent value means yes. The app lists all notifications
// in any case.
type Prefs struct {
	Email *bool `json:"email,omitempty" doc:"Mail about reports"`
	Push  *bool `json:"push,omitempty" doc:"Push messages"`
	// Muted types are neither mailed nor pushed.
	Muted []Type `json:"muted,omitempty" maxItems:"20" doc:"Types neither mailed nor pushed"`
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
