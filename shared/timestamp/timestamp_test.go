package timestamp

import (
	"encoding/json"
	"testing"
	"time"
)

func TestTimeOnTheWire(t *testing.T) {
	t.Parallel()
	dili := time.FixedZone("TLT", 9*3600)
	got, err := json.Marshal(map[string]any{"at": Of(time.Date(2026, 11, 21, 17, 30, 0, 123_456_789, dili)), "none": OfPtr(nil)})
	if err != nil || string(got) != `{"at":"2026-11-21T08:30:00.123Z","none":null}` {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestTimeReadsAnyOffset(t *testing.T) {
	t.Parallel()
	var v Time
	if err := json.Unmarshal([]byte(`"2026-11-21T17:30:00+09:00"`), &v); err != nil || v.String() != "2026-11-21T08:30:00.000Z" {
		t.Errorf("got %s, %v", v, err)
	}
	for _, bad := range []string{`"yesterday"`, `7`, `"2026-11-21"`} {
		if err := json.Unmarshal([]byte(bad), &v); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

func TestDate(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`"2026-02-28"`: "2026-02-28", `"2026-02-28T23:30:00.000Z"`: "2026-02-28", `"2026-02-28T01:30:00+09:00"`: "2026-02-28",
	} {
		var d Date
		if err := json.Unmarshal([]byte(in), &d); err != nil || d.String() != want {
			t.Errorf("%s: got %s, %v", in, d, err)
		}
	}
	var d Date
	if err := json.Unmarshal([]byte(`"2026-02-30"`), &d); err == nil {
		t.Error("a day that does not exist was read")
	}
}
