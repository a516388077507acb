package httpapi

import "testing"

func TestWithoutNUL(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		``: ``, `{}`: `{}`, `"\u0000"`: `""`, `{"a":"b\u0000c"}`: `{"a":"bc"}`, `"\\u0000"`: `"\\u0000"`, `"\\\u0000"`: `"\\"`,
		`"\\u0000 and \u0000\u0000"`: `"\\u0000 and "`, `"\u0001\n"`: `"\u0001\n"`, `\u0000`: ``, `\`: `\`, `\u0000\`: `\`,
	} {
		if got := withoutNUL([]byte(text)); string(got) != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
