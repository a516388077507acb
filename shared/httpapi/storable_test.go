package httpapi

import "testing"

func TestEscapesNUL(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		``: false, `{}`: false, `"\u0000"`: true, `{"a":"b\u0000c"}`: true, `"\\u0000"`: false, `"\\\u0000"`: true,
		`"\\u0000 and \u0000"`: true, `"\u0001"`: false, `\u0000`: true, `u0000`: false,
	} {
		if got := escapesNUL([]byte(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestMemberWithNUL(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"a":"b","title":"x\u0000"}`: "title", `{"place":{"name":"\u0000"}}`: "place", `{"tags":["\u0000"]}`: "tags", `{"\u0000":1}`: "body",
		`{"reports":[{"title":"\u0000"}]}`: "", `{"a":"\\u0000"}`: "", `["\u0000"]`: "", `{`: "",
	} {
		if got, _ := memberWithNUL([]byte(body)); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}
