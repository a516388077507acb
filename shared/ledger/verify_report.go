package ledger

import (
	"crypto/hmac"
	"encoding/hex"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/report"
)

// state compares the report as it is now with its newest event.
func (v *verifier) state(f *fold, r *records) {
	p := f.newest
	if p == nil {
		return // the check of hashes reports it, or the report has no events
	}
	s := *r.snapshot
	s.Located = f.located
	now, recorded := s.members(), p.stateMembers
	if p.Version == 1 {
		v.leaveOut("The newest event is from before the public log. It does not name priority, municipality, agency, due date, original of a duplicate, anonymity, author and address.")
		where := place{Lat: math.Round(s.Latitude*1e4) / 1e4, Lon: math.Round(s.Longitude*1e4) / 1e4}
		now = stateMembers{IssueType: s.IssueType, Status: s.Status, Severity: s.Severity, Location: &where}
	}
	for _, m := range []*stateMembers{&now, &recorded} { // these have checks of their own
		m.Images, m.Thumbs, m.Resolution, m.ImagesDigest, m.Held, m.ContentHash, m.Hidden = nil, nil, nil, "", nil, "", nil
	}
	v.same("report", now, recorded)
	if created := *instant(&s.CreatedAt); f.createdAt == "" {
		v.leaveOut("No event names when the report was created.")
	} else if created != f.createdAt {
		v.fail("report", "it was created at %s by its row, at %s by its events", created, f.createdAt)
	}
	switch gone := deref(instant(r.DeletedAt)); {
	case gone != "" && f.withdrawnAt == "":
		v.fail("report", "it was taken down at %s, and no event says so", gone)
	case gone == "" && f.withdrawnAt != "":
		v.fail("report", "an event took it down at %s, and it is on display", f.withdrawnAt)
	case gone != f.withdrawnAt:
		v.fail("report", "it was taken down at %s by its row, at %s by its events", gone, f.withdrawnAt)
	}
	v.content(f, r, &s.State)
	v.times(f, r)
	v.rejection(f, r)
	v.removal(f, r)
	v.analysis(f, r)
	v.images(p, &s.State, v.hidden(p, &s.State))
}

// hidden compares what is hidden now with the newest event. It reports whether that compared the pictures too.
func (v *verifier) hidden(p *payload, s *State) bool {
	now, pictures := s.Hidden, false
	if len(p.Hidden) == 1 && strings.HasPrefix(p.Hidden[0], digestPrefix) {
		images := ""
		if pictures = len(s.Pictures) > 0 && len(p.Images) == 0 && p.ImagesDigest == ""; pictures {
			images = s.imagesDigest()
		}
		now = []string{hiddenDigest(now, images)}
	}
	if !slices.Equal(now, p.Hidden) {
		v.fail("report", "hidden from others is %q now, by the newest event it is %q", now, p.Hidden)
	}
	return pictures
}

// same records a failure of the property for the first member that differs.
func (v *verifier) same(property string, now, recorded any) {
	a, b := membersOf(now), membersOf(recorded)
	names := maps.Clone(a)
	maps.Copy(names, b)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		switch {
		case name == "duplicate_of" && string(a[name]) != string(b[name]): // its number may be of a report that not everybody may see
			v.fail(property, "it is a duplicate of another report than the newest event records")
		case a[name] == nil:
			v.fail(property, "it has no %s now, the newest event records %s", name, b[name])
		case string(a[name]) != string(b[name]):
			v.fail(property, "its %s is %s now, the newest event records %s", name, a[name], orNone(b[name]))
		}
	}
}

func orNone(value json.RawMessage) string {
	if value == nil {
		return "none"
	}
	return string(value)
}

// membersOf are the members of v as JSON, by name.
func membersOf(v any) map[string]json.RawMessage {
	out := make(map[string]json.RawMessage)
	if raw, err := json.Marshal(v); err == nil {
		_ = json.Unmarshal(raw, &out)
	}
	return out
}

// content compares what the newest event has as a salted hash alone.
func (v *verifier) content(f *fold, r *records, s *State) {
	salt := r.salts[1]
	if f.erased[1] {
		v.blank(f, r.blank, s.Title)
		return
	}
	if salt == nil {
		v.fail("content", "its salt is gone, and no event says that it was erased")
		return
	}
	now, err := s.contentHash(salt)
	if f.newest.Version == 1 {
		now, err = s.contentHashV1(salt)
	}
	if err != nil {
		v.fail("content", "%s", err)
		return
	}
	recorded, err := hex.DecodeString(f.newest.ContentHash)
	if err != nil || !hmac.Equal(now, recorded) {
		v.fail("content", "words, exact place, times or author differ from those of the newest event")
	}
}

// blank checks that a report whose words were erased is as the erasure left it.
func (v *verifier) blank(f *fold, b report.Blank, title string) {
	v.leaveOut("The words of the report were erased with its author's account. What they were can no longer be told, nor who the author is, the exact place, which names of places there were, the exact severity score and the time of the photograph.")
	for _, is := range []struct {
		blank   bool
		finding string
	}{{b.Words, "has words or an address"}, {b.Names, "has names of places that are not of its boundaries"}, {b.Place, "has a place to more than 4 decimals"},
		{b.Account, "is of somebody who has an account"}, {b.Score, "has a score of another severity"}} {
		if !is.blank {
			v.fail("content", "its words were erased, and it %s now", is.finding)
		}
	}
	titles := []string{""}
	for _, l := range locale.Languages() {
		label, _ := locale.Text(l, "label.issue_type."+f.erasedType, nil)
		titles = append(titles, label)
	}
	if !slices.Contains(titles, title) {
		v.fail("content", "its words were erased, and it has a title now")
	}
}

// images compares the processed pictures with those of the newest event; compared says that their hashes were.
func (v *verifier) images(p *payload, s *State, compared bool) {
	if slices.ContainsFunc(s.Pictures, func(p Picture) bool { return !p.Shown }) {
		v.fail("images", "a picture was processed, and its upload says that it was not")
	}
	if p.Version == 1 {
		v.imagesV1(p, s)
		return
	}
	if held := s.members().Held; !slices.Equal(held, p.Held) {
		v.fail("images", "pictures %v are kept from others now, by the newest event it is %v", held, p.Held)
	}
	if compared {
		return
	}
	if p.ImagesDigest != "" {
		if s.imagesDigest() != p.ImagesDigest {
			v.fail("images", "the pictures differ from those of the newest event")
		}
		return
	}
	if len(s.Pictures) != len(p.Images) || len(p.Thumbs) > len(p.Images) {
		v.fail("images", "it has %d processed pictures, the newest event names %d", len(s.Pictures), len(p.Images))
		return
	}
	if now := s.members(); !slices.Equal(now.Resolution, p.Resolution) {
		v.fail("images", "pictures %v are of the repair now, the newest event says %v", now.Resolution, p.Resolution)
	}
	for i, picture := range s.Pictures {
		small := ""
		if i < len(p.Thumbs) {
			small = p.Thumbs[i]
		}
		if hex.EncodeToString(picture.Display) != p.Images[i] {
			v.fail("images", "picture %s… of the newest event is gone or was changed", p.Images[i][:min(8, len(p.Images[i]))])
		}
		if hex.EncodeToString(picture.Thumbnail) != small {
			v.fail("images", "the small form of picture %s… was changed", p.Images[i][:min(8, len(p.Images[i]))])
		}
		if small == "" {
			v.leaveOut("The small form of a picture that was processed before the public log: no event names it.")
		}
	}
}

// imagesV1 checks that the report has every picture of its newest event. It may have more: an earlier version recorded
// pictures that were processed later with the next event.
func (v *verifier) imagesV1(p *payload, s *State) {
	if p.ImagesDigest != "" {
		if s.imagesDigestV1() != p.ImagesDigest {
			v.fail("images", "the pictures differ from those of the newest event")
		}
		return
	}
	named := 0
	for _, picture := range s.Pictures {
		if slices.Contains(p.Images, hex.EncodeToString(picture.Display)) {
			named++
		}
	}
	if named < len(p.Images) {
		v.fail("images", "a picture of the newest event is gone or was changed")
	}
	v.leaveOut("No event names the small forms of the pictures.")
	if named < len(s.Pictures) {
		v.leaveOut("No event names the newest pictures.")
	}
}
