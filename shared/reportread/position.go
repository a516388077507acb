package reportread

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/problem"
)

// position is a place in the feed of changes.
type position struct {
	// stamp names the database and the viewer that the position belongs to.
	stamp [8]byte
	// following is false while the reader walks all reports by id, and true once it follows the changes.
	following bool
	// xid is a transaction. While walking: that of the change after which following starts. While following: that of the last change.
	xid string
	id  uuid.UUID // of the last report; uuid.Nil before the first
}

// positionVersion is the first byte of a position as text.
const positionVersion = 1

// String is the position as clients get it.
func (p position) String() string {
	xid, _ := strconv.ParseUint(p.xid, 10, 64) // PostgreSQL wrote it
	raw := append([]byte{positionVersion}, p.stamp[:]...)
	raw = append(raw, byte(0))
	if p.following {
		raw[len(raw)-1] = 1
	}
	raw = binary.BigEndian.AppendUint64(raw, xid)
	return base64.RawURLEncoding.EncodeToString(append(raw, p.id[:]...))
}

// parsePosition reads what String wrote. The empty text is the beginning, without stamp and xid.
func parsePosition(s string) (position, error) {
	if s == "" {
		return position{}, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(raw) != 1+8+1+8+16 || raw[0] != positionVersion || raw[9] > 1 {
		return position{}, problem.InvalidField("since", "not a position of this feed")
	}
	p := position{following: raw[9] == 1, xid: strconv.FormatUint(binary.BigEndian.Uint64(raw[10:18]), 10)}
	copy(p.stamp[:], raw[1:9])
	copy(p.id[:], raw[18:])
	return p, nil
}

// stampOf names a feed: one viewer, in one role, in one database. Another viewer sees other reports, so a position of one
// would leave out reports for the other.
func stampOf(epoch string, v Viewer, mine bool) [8]byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s|%s|%t|%t", epoch, v.userID, v.staff, mine))
	return [8]byte(sum[:8])
}
