package weblink_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/weblink"
)

func TestLinks(t *testing.T) {
	t.Parallel()
	image := uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8057")
	for given, want := range map[string]string{"https://a.example/": "https://a.example", "http://localhost:8000": "http://localhost:8000", "": ""} {
		b, err := weblink.New(weblink.Config{PublicBaseURL: given})
		if err != nil {
			t.Fatal(err)
		}
		for got, path := range map[string]string{
			b.String(): "", b.Report("LS-2026-000001"): "/r/LS-2026-000001", b.Report("../x?y"): "/r/..%2Fx%3Fy", b.Me(): "/me", b.Desk(): "/desk",
			b.Picture("LS-2026-000001", image, "thumbnail"): "/api/v1/public/reports/LS-2026-000001/images/01890a5d-ac96-774b-bcce-b302099a8057/thumbnail",
			b.Map(-8.55, 125.57):                            "/map#16/-8.55000/125.57000", b.Unsubscribe("a-b_c"): "/unsubscribe/a-b_c", b.Welcome("a+b"): "/welcome?token=a%2Bb",
		} {
			if got != want+path {
				t.Errorf("with %q: %q, want %q", given, got, want+path)
			}
		}
		if b.Absolute() != (want != "") {
			t.Errorf("%q: absolute %v", given, b.Absolute())
		}
	}
	if got := (weblink.Base{}).Or("https://b.example").Me(); got != "https://b.example/me" {
		t.Errorf("without a base of its own: %q", got)
	}
	for _, bad := range []string{"a.example", "ftp://a.example", "javascript:alert(1)", "https://", "https://a.example?x=1", "https://u:p@a.example"} {
		if _, err := weblink.New(weblink.Config{PublicBaseURL: bad}); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
