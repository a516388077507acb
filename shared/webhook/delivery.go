package webhook

import (
	"net/url"
	"slices"
	"strings"
)

// State is what became of a delivery so far.
type State string

// The states.
const (
	Waiting   State = "waiting" // for its first call, or for the next one
	Delivered State = "delivered"
	Parked    State = "parked" // given up; an administrator can have it called again
)

// States lists all of them.
func States() []State { return []State{Waiting, Delivered, Parked} }

// ParseState reads a state, ignoring case and white space around it. It is false for an unknown word.
func ParseState(word string) (State, bool) {
	s := State(strings.ToLower(strings.TrimSpace(word)))
	return s, slices.Contains(States(), s)
}

// OffReason is why a webhook is off.
type OffReason string

// The reasons.
const (
	OffByAdmin OffReason = "admin"
	OffGone    OffReason = "gone" // the receiver answered 410
)

// Fault is why a call failed.
type Fault string

// The faults.
const (
	BadStatus   Fault = "status"     // an answer that is no 2xx
	NotPublic   Fault = "not_public" // the address is not public
	TimedOut    Fault = "timeout"
	NoName      Fault = "lookup" // the name has no address
	BadTLS      Fault = "tls"    // certificate or TLS
	NoConnect   Fault = "connection"
	BadURL      Fault = "url"          // the URL cannot be called any more, such as http
	SwitchedOff Fault = "switched_off" // the webhook was switched off before the call
)

// Host is the host of a webhook's URL, with the port: what logs and mails may have of it. The rest may contain a password of the receiver.
func Host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}
