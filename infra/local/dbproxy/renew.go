package dbproxy

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// Renewer changes recorded writes so that they can run again: it replaces the ids that a request made, because they would
// violate unique keys the second time.
type Renewer struct{ last atomic.Int64 }

// Renew returns the round trips with new ids, report numbers and refresh tokens, the same one at each place. It replaces
// UUIDv7 whose time is since or later. Payloads of the ledger stay unchanged, because their hashes depend on them.
func (r *Renewer) Renew(roundTrips []RoundTrip, since time.Time) []RoundTrip {
	var replace []string // pairs, for raw bytes and for text
	known := map[string]bool{}
	add := func(old, fresh string) {
		if !known[old] {
			known[old] = true
			replace = append(replace, old, fresh)
		}
	}
	for _, roundTrip := range roundTrips {
		for _, s := range roundTrip {
			for _, arg := range s.Args {
				for _, old := range identifiers(arg) {
					if madeUp(old, since) {
						fresh := uuid.Must(uuid.NewV7())
						add(string(old[:]), string(fresh[:]))
						add(old.String(), fresh.String())
					}
				}
				switch {
				case number.Match(arg):
					add(string(arg), fmt.Sprintf("LS-1999-%06d", r.last.Add(1)))
				case len(arg) == 32 && strings.Contains(s.SQL, "refresh_tokens"):
					fresh := make([]byte, 32)
					binary.BigEndian.PutUint64(fresh, uint64(r.last.Add(1)))
					copy(fresh[8:], arg)
					add(string(arg), string(fresh))
				}
			}
		}
	}
	renew := strings.NewReplacer(replace...)
	out := make([]RoundTrip, len(roundTrips))
	for i, roundTrip := range roundTrips {
		for _, s := range roundTrip {
			args := make([][]byte, len(s.Args))
			for j, arg := range s.Args {
				args[j] = arg
				if arg != nil && !bytes.HasPrefix(arg, []byte(`{"changed_by"`)) {
					args[j] = []byte(renew.Replace(string(arg)))
				}
			}
			s.Args = args
			out[i] = append(out[i], s)
		}
	}
	return out
}

var number = regexp.MustCompile(`^LS-\d{4}-\d{6,}$`)

// Of an array as PostgreSQL sends it: the length of its head with one dimension, and where that names the type.
const (
	arrayHead = 20
	arrayType = 8
	uuidType  = 2950
)

// identifiers reads an id as it is sent: raw, or as text; or the ids of an array.
func identifiers(arg []byte) []uuid.UUID {
	switch {
	case len(arg) == 16:
		return []uuid.UUID{uuid.UUID(arg)}
	case len(arg) == 36:
		if id, err := uuid.ParseBytes(arg); err == nil {
			return []uuid.UUID{id}
		}
	}
	var out []uuid.UUID
	if len(arg) > arrayHead && binary.BigEndian.Uint32(arg) == 1 && binary.BigEndian.Uint32(arg[arrayType:]) == uuidType {
		for rest := arg[arrayHead:]; len(rest) >= 20; rest = rest[20:] { // each with its length before it
			out = append(out, uuid.UUID(rest[4:20]))
		}
	}
	return out
}

func madeUp(id uuid.UUID, since time.Time) bool {
	ms := binary.BigEndian.Uint64(append([]byte{0, 0}, id[:6]...))
	return id.Version() == 7 && int64(ms) >= since.UnixMilli()
}
