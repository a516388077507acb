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
