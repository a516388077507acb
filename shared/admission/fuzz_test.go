package admission

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/identity"
)

// FuzzRemembered: whatever the cache holds for a session is somebody in a role of ours, just as it says, or nobody: then the
// database is asked. It gives nobody more than is written there.
func FuzzRemembered(f *testing.F) {
	agency := uuid.MustParse("018f6f6e-1111-7000-8000-000000000002")
	for _, s := range []identity.Session{
		{UserID: uuid.MustParse("018f6f6e-1111-7000-8000-000000000001"), Role: identity.Citizen},
		{UserID: uuid.MustParse("018f6f6e-1111-7000-8000-000000000001"), Role: identity.Official, AgencyID: &agency, SecondFactor: true},
		{Role: identity.Admin}, {UserID: agency, Role: "root"}, {},
	} {
		raw, err := json.Marshal(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(raw))
		f.Add(string(raw[:len(raw)-1]))
	}
	for _, seed := range []string{askDatabase, "", "null", "[]", `{"u":"x","r":"admin"}`, `{"U":"018f6f6e-1111-7000-8000-000000000001","R":"citizen","m":1}`,
		`{"u":"018f6f6e-1111-7000-8000-000000000001","r":"citizen","r":"admin"}`, strings.Repeat("[", 20000)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		s := cachedSession([]byte(raw))
		if s == (identity.Session{}) {
			return
		}
		if s.UserID == uuid.Nil || s.Role != identity.Citizen && !s.Role.IsStaff() {
			t.Errorf("%q is %+v", raw, s)
		}
		var said identity.Session
		if err := json.Unmarshal([]byte(raw), &said); err != nil || said.UserID != s.UserID || said.Role != s.Role || said.SecondFactor != s.SecondFactor {
			t.Errorf("%q says %+v, believed is %+v, %v", raw, said, s, err)
		}
	})
}
