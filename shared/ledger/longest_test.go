package ledger

import (
	"crypto/sha256"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// longest is the state whose payload is the longest: every member there is, each as long as it can be.
func longest() *snapshot {
	at := time.Date(2026, 11, 21, 12, 0, 0, 999e6, time.UTC)
	hash := sha256.Sum256([]byte("picture"))
	picture := Picture{Display: hash[:], Thumbnail: hash[:], Held: true, Resolution: true, Shown: true}
	return &snapshot{number: "LS-2026-1000000", actorAgency: strings.Repeat("A", 60), State: State{
		IssueType: "traffic_sign", Status: "in_progress", Severity: "critical", Priority: "critical", Source: "assisted", Anonymous: true,
		CreatedAt: at, DueAt: &at, MunicipalityCode: "TL-MF", Agency: strings.Repeat("B", 60), DuplicateOf: "LS-2026-1000000",
		Pictures: []Picture{picture, picture}, Hidden: []string{"image:0", "image:1", "words"}, Latitude: -10.12345, Longitude: 125.98765, Located: true,
	}}
}

// Every payload fits one message, whatever its report is like. The longest of each type is built here.
func TestTheLongestPayloadOfEachType(t *testing.T) {
	t.Parallel()
	agency, person := uuid.Max, uuid.Max
	note, hash := strings.Repeat("n", 2000), strings.Repeat("f", 64)
	erased := make([]int, MaxErased)
	for i := range erased {
		erased[i] = 99_900 + i
	}
	ai := &Assessment{Relevant: false, Confidence: 0.1234, Severity: "critical", DamageType: strings.Repeat("d", 400), Model: strings.Repeat("m", 400)}
	for _, e := range []Event{
		{Type: Submitted},
		{Type: StatusMoved, OldStatus: "in_progress", Note: note, ReasonCode: "duplicate_spam"},
		{Type: AIValidated, AI: ai, Actor: Actor{Kind: "ai"}},
		{Type: AIValidated, AI: &Assessment{Confidence: 1, Severity: "critical", Model: "person"}, Note: note, ReasonCode: "irrelevant"},
		{Type: Amended, Note: note},
		{Type: Amended, Baseline: true, RowsHash: hash, ReasonCode: "duplicate_spam", Actor: Actor{Kind: "system"}},
		{Type: Withdrawn, Note: note, ReasonCode: "duplicate_spam"},
		{Type: Hidden, Note: note, ReasonCode: "duplicate_spam"},
		{Type: Erased, Erased: erased, RowsHash: hash},
		{Type: Commented, Comment: &Comment{ID: uuid.Max, Author: person, Content: note}},
		{Type: Uncommented, CommentID: uuid.Max, Note: note, ReasonCode: "duplicate_spam"},
		{Type: Uncommented, CommentSeq: 99_999, Note: note, ReasonCode: "duplicate_spam"},
		{Type: Assigned, AssignedTo: &person, Note: note},
		{Type: Disputed, OldStatus: "fixed", OnBehalfOf: true, Note: note},
		{Type: Incident, Detail: strings.Repeat("w", 2000)},
	} {
		if e.Actor.Kind == "" {
			e.Actor = Actor{Kind: "government_official", AgencyID: &agency}
		}
		e.At = time.Date(2026, 11, 21, 12, 0, 0, 1e6, time.UTC)
		if err := e.check(); err != nil {
			t.Errorf("%s: %v", e.Type, err)
			continue
		}
		prev := sha256.Sum256(nil)
		made, err := e.commitments(prev[:])
		if err != nil {
			t.Fatal(err)
		}
		made.content = prev[:]
		if e.Type == AIValidated && e.Note == "" || e.Baseline {
			made.analysis = prev[:]
		}
		for _, more := range []int{0, 8, 10} { // there can be ten pictures of evidence
			s := longest()
			for i := range more * 20 {
				s.Hidden = append(s.Hidden, fmt.Sprintf("comment:%d", 99_000+i))
			}
			for i := range more {
				s.Pictures = append(s.Pictures, Picture{Held: true, Shown: true})
				s.Pictures[i%2].Held = more < 10
			}
			raw, err := encode(e, s, math.MaxInt32, prev[:], made)
			if err != nil || len(raw) > MaxMessage {
				t.Errorf("%s: %d bytes, %v", e.Type, len(raw), err)
				continue
			}
			t.Logf("%-16s %4d bytes", e.Type, len(raw))
			p, err := decode(raw)
			if err != nil {
				t.Fatal(err)
			}
			compare := func() map[string]string {
				v := newVerifier(Sources{}, Config{})
				v.images(p, &s.State, v.hidden(p, &s.State))
				return v.breaks
			}
			if got := compare(); len(got) != 0 {
				t.Errorf("%s with %d pictures: verify finds %v", e.Type, len(s.Pictures), got)
			}
			other := sha256.Sum256([]byte("another"))
			s.Pictures[0].Display = other[:]
			if len(compare()) == 0 {
				t.Errorf("%s with %d pictures: verify does not find another picture", e.Type, len(s.Pictures))
			}
		}
	}
}

// The place is public to 3 decimals until the report was once verified, in progress, fixed or a duplicate.
func TestThePlaceIsAsExactAsThePublicMayKnow(t *testing.T) {
	t.Parallel()
	s := longest()
	if got := s.place(); got != (place{-10.1235, 125.9877}) && got != (place{-10.1234, 125.9877}) {
		t.Errorf("located: got %v, want 4 decimals", got)
	}
	s.Located, s.Status = false, "pending"
	if got := s.place(); got != (place{-10.123, 125.988}) {
		t.Errorf("never verified: got %v, want 3 decimals", got)
	}
	if m := s.members(); m.Severity != "" || m.Priority != "" {
		t.Errorf("severity %q and priority %q of a pending report are named", m.Severity, m.Priority)
	}
}
