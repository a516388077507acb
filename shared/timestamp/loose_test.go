package timestamp_test

import (
	"testing"
	"time"

	"github.com/lafaekstreet/backend/shared/timestamp"
)

func TestParseAny(t *testing.T) {
	t.Parallel()
	dili := time.FixedZone("TLT", 9*60*60)
	const want = "2026-11-19T23:00:00Z"
	for text, want := range map[string]string{
		"2026-11-19T23:00:00Z": want, "2026-11-20T08:00:00+09:00": want, "2026-11-20 08:00:00+0900": want, "2026-11-20T08:00+09": want,
		"2026-11-20T08:00:00": want, "2026-11-20T08:00": want, "2026:11:20 08:00:00": want, "2026:11:20 08:00:00+09:00": want,
		"2026-11-19t23:00:00z": want, "2026-11-19 23:00:00 UTC": want, "2026-11-19 23:00:00.000 Z": want, "20261119T230000Z": want,
		"1795129200": want, "1795129200000": want, "1795129200.0": want, "1.7951292e9": want, "1795129200000000": want,
		" 2026-11-20T08:00:00.0000000000+09:00\n": want, "2026-11-20T08:00:00,000+0900": want, "2026/11/20 08:00:00": want,
		"Thu, 19 Nov 2026 23:00:00 GMT": want, "Fri, 20 Nov 2026 08:00:00 +0900": want, "Thu Nov 19 23:00:00 UTC 2026": want,
		"2026-11-20": "2026-11-19T15:00:00Z", "20261120": "2026-11-19T15:00:00Z", "0": "1970-01-01T00:00:00Z", "12": "1970-01-01T00:00:12Z",
		"2026-11-19T23:00:00.123456789Z": "2026-11-19T23:00:00.123456789Z", "9999-12-31T23:59:59Z": "9999-12-31T23:59:59Z",
		"": "", "yesterday": "", "2026-13-20T08:00:00Z": "", "2026-02-30": "", "2026-11-20T25:00:00Z": "", "NaN": "", "Infinity": "", "0x10": "",
		"1e999": "", "-1e300": "", "2026-11-20T08:00:00+99:99": "", "2026-11-20T08:00:00 XYZ": "", "Fri Nov 20 08:00:00 XYZ 2026": "", "２０２６-11-20": "",
	} {
		got, ok := timestamp.ParseAny(text, dili)
		if ok != (want != "") || ok && got.UTC().Format(time.RFC3339Nano) != want {
			t.Errorf("%q: %v %v, want %q", text, got.UTC().Format(time.RFC3339Nano), ok, want)
		}
	}
}
