package notification

import (
	"encoding/json"
	"slices"
)

// Prefs is what a person wants to be reached by; users.notification_prefs as
// JSON. What is absent is wanted. The in-app list always holds everything.
type Prefs struct {
	Email *bool `json:"email,omitempty" doc:"Mail about reports"`
	Push  *bool `json:"push,omitempty" doc:"Push messages"`
	// Muted types come by neither.
	Muted []Type `json:"muted,omitempty" maxItems:"20" doc:"Types neither mailed nor pushed"`
}

// ParsePrefs reads the column. Anything unreadable wants everything.
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
