package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// anyJSON draws a JSON value of moderate depth.
func anyJSON(depth int) *rapid.Generator[any] {
	leaves := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.StringN(0, 20, -1).AsAny(),
		rapid.Int64Range(-1<<53, 1<<53).AsAny(), rapid.Float64Range(-1e15, 1e15).AsAny(),
	}
	if depth == 0 {
		return rapid.OneOf(leaves...)
	}
	return rapid.OneOf(append(leaves,
		rapid.SliceOfN(anyJSON(depth-1), 0, 4).AsAny(),
		rapid.MapOfN(rapid.StringN(0, 8, -1), anyJSON(depth-1), 0, 5).AsAny())...)
}

// However the members were ordered and spaced, there is one canonical form, and it says the same.
func TestCanonicalFormIsOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.MapOfN(rapid.StringN(0, 8, -1), anyJSON(2), 0, 8).Draw(t, "value")
		first, err := canonical(v)
		if err != nil {
			t.Fatal(err)
		}
		var read any
		if err := json.Unmarshal(first, &read); err != nil {
			t.Fatalf("canonical form is no JSON: %v in %s", err, first)
		}
		again, err := canonical(read)
		if err != nil || !bytes.Equal(first, again) {
			t.Fatalf("not stable: %s, then %s, %v", first, again, err)
		}
		// The same members by hand, in another order and with spaces.
		keys := slices.Collect(maps.Keys(v))
		rand.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		other := []byte("{")
		for i, k := range keys {
			name, _ := json.Marshal(k)
			member, err := json.MarshalIndent(v[k], " ", "\t")
			if err != nil {
				t.Fatal(err)
			}
			if i > 0 {
				other = append(other, " ,\n"...)
			}
			other = fmt.Appendf(other, " %s :  %s", name, member)
		}
		shuffled, err := canonical(json.RawMessage(append(other, '}')))
		if err != nil || !bytes.Equal(first, shuffled) {
			t.Fatalf("order matters: %s, but %s from %s, %v", first, shuffled, other, err)
		}
	})
}

// drawChain makes a report's events as Append would.
func drawChain(t *rapid.T) []link {
	var links []link
	var prev []byte
	types := []Type{StatusMoved, AIValidated, Amended}
	for i := range rapid.IntRange(1, 6).Draw(t, "events") {
		e := Event{Type: Submitted, Actor: Actor{Kind: "citizen"}, At: time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "at"), 0)}
		if i > 0 {
			e.Type = rapid.SampledFrom(types).Draw(t, "type")
		}
		if e.Type == AIValidated {
			e.AI = &Assessment{Relevant: rapid.Bool().Draw(t, "relevant"), Confidence: rapid.Float64Range(0, 1).Draw(t, "confidence"),
				DamageType: rapid.String().Draw(t, "damage"), Model: rapid.String().Draw(t, "model")}
		}
		if e.Type == StatusMoved {
			e.OldStatus = "pending"
		}
		s := &snapshot{number: "LS-2026-000001", State: State{IssueType: "pothole", Severity: "medium", Status: rapid.SampledFrom([]string{"pending", "fixed"}).Draw(t, "status"),
			Latitude: rapid.Float64Range(-90, 90).Draw(t, "lat"), Longitude: rapid.Float64Range(-180, 180).Draw(t, "lon")}}
		for _, hash := range rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 32, 32), 0, 7).Draw(t, "images") {
			s.Pictures = append(s.Pictures, Picture{Display: hash, Thumbnail: hash})
		}
		raw, err := encode(e, s, i+1, prev, commitments{content: rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "content")})
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(raw)
		links = append(links, link{Seq: i + 1, Type: e.Type, Payload: raw, Hash: sum[:], Prev: prev})
		prev = sum[:]
	}
	return links
}

func chainBreaks(links []link) map[string]string {
	v, f := newVerifier(Sources{}, Config{}), newFold()
	for i := range links {
		v.chain(f, "LS-2026-000001", &links[i])
	}
	return v.breaks
}

// A chain holds as it was written, and no longer
// after any one byte of any payload, hash or link is changed, or any event is
// dropped, doubled or moved.
func TestAnyChangeOfAChainIsFound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		links := drawChain(t)
		if got := chainBreaks(links); len(got) != 0 {
			t.Fatalf("untouched: %v", got)
		}
		changed := slices.Clone(links)
		i := rapid.IntRange(0, len(links)-1).Draw(t, "which")
		flip := func(b []byte) []byte {
			b = slices.Clone(b)
			b[rapid.IntRange(0, len(b)-1).Draw(t, "byte")] ^= byte(1 << rapid.IntRange(0, 7).Draw(t, "bit"))
			return b
		}
		how := rapid.SampledFrom([]string{"payload", "hash", "prev", "drop", "double", "swap"}).Draw(t, "how")
		switch {
		case how == "payload":
			changed[i].Payload = flip(changed[i].Payload)
		case how == "hash":
			changed[i].Hash = flip(changed[i].Hash)
		case how == "prev" && i > 0:
			changed[i].Prev = flip(changed[i].Prev)
		case how == "drop" && i < len(links)-1: // the newest can only be missed on the ledger
			changed = slices.Delete(changed, i, i+1)
		case how == "double":
			changed = slices.Insert(changed, i, changed[i])
		case how == "swap" && i > 0:
			changed[i], changed[i-1] = changed[i-1], changed[i]
		default:
			return
		}
		if len(chainBreaks(changed)) == 0 {
			t.Fatalf("%s of event %d is not found", how, i+1)
		}
	})
}

// hcsMessage is the most bytes of a message that the Hedera Consensus Service takes in one transaction.
const hcsMessage = 1024

func TestAMessageIsNotLongerThanTheConsensusServiceTakes(t *testing.T) {
	t.Parallel()
	if MaxMessage > hcsMessage {
		t.Errorf("MaxMessage is %d bytes, the service takes %d", MaxMessage, hcsMessage)
	}
}

// FuzzSigned: stored transactions are our own bytes, but a changed database is
// exactly what verification is there for.
func FuzzSigned(f *testing.F) {
	f.Add([]byte{0x0a, 0x00})
	f.Fuzz(func(_ *testing.T, b []byte) {
		variants, err := parseSigned(b)
		if err != nil {
			return
		}
		for i := range variants {
			_ = variants[i].verify()
		}
	})
}
