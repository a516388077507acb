package acceptance

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// step is a call of a guide: a command for a shell, and the answer that the guide shows.
type step struct{ command, answer string }

// stepsOf reads the calls of a guide: each block of sh with the block of JSON after it.
func stepsOf(t *testing.T, name string) []step {
	t.Helper()
	raw, err := os.ReadFile("../../../functions/meta/guide/" + name + ".md")
	if err != nil {
		t.Fatal(err)
	}
	var out []step
	for _, m := range regexp.MustCompile("(?s)\n```sh\n(.*?)\n```\n\n```json\n(.*?)\n```\n").FindAllSubmatch(raw, -1) {
		out = append(out, step{string(m[1]), string(m[2])})
	}
	return out
}

// TestGettingStarted runs the commands of the guide as they are written, and compares the answers with those that it shows.
func TestGettingStarted(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl on this machine: the commands of the guide are not run")
	}
	base := startSystem(t, io.Discard).URL()
	v := newVisitor(t, base)
	steps := stepsOf(t, "getting-started")
	if len(steps) != 5 {
		t.Fatalf("the guide has %d calls, want 5", len(steps))
	}
	const email = "maria@example.tl"
	folder, env := t.TempDir(), append(os.Environ(), "API="+base+"/api/v1", "EMAIL="+email)
	if err := os.WriteFile(filepath.Join(folder, "photo.jpg"), photograph(t, 90), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(s step) (any, string) {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", s.command)
		cmd.Dir, cmd.Env = folder, env
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", s.command, err)
		}
		return parsed(t, out), string(out)
	}
	for i, s := range steps {
		want := parsed(t, []byte(s.answer))
		var got any
		var text string
		v.until("the answer of the guide to call "+string(rune('1'+i)), func() bool { // the last two wait for what workers do
			got, text = run(s)
			return i < 3 || difference("", want, got) == ""
		})
		if d := difference("", want, got); d != "" {
			t.Fatalf("call %d: %s\n%s\nanswered %.2000s", i+1, d, s.command, text)
		}
		switch i {
		case 0:
			env = append(env, "CODE="+v.mailed(email, sixDigits, ""))
		case 1:
			env = append(env, "TOKEN="+got.(map[string]any)["access_token"].(string))
		}
	}
}

func parsed(t *testing.T, raw []byte) any {
	t.Helper()
	var out any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatalf("%v: %.500s", err, raw)
	}
	return out
}

// fixed are the members whose values are the same each time. Of all others the type is compared.
func fixed() []string {
	return []string{"kind", "token_type", "otp_expires_in", "resend_after", "is_new_user", "role", "preferred_language", "issue_type", "latitude",
		"longitude", "description", "status", "ai_status", "type", "title", "page", "page_size", "has_next", "is_read"}
}

// difference says what of want is not in got; nothing if all is. An object may have more members, a list more elements.
func difference(at string, want, got any) string {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return at + " is no object"
		}
		for name, value := range want {
			inner, there := object[name]
			if !there {
				return at + "." + name + " is not there"
			}
			if slices.Contains(fixed(), name) && value != inner {
				return at + "." + name + " is another value"
			}
			if d := difference(at+"."+name, value, inner); d != "" {
				return d
			}
		}
		return ""
	case []any:
		list, _ := got.([]any)
		for _, element := range want {
			if !slices.ContainsFunc(list, func(e any) bool { return difference("", element, e) == "" }) {
				return at + " has no such element"
			}
		}
		return ""
	case string:
		if _, ok := got.(string); !ok {
			return at + " is no text"
		}
	case float64:
		if _, ok := got.(float64); !ok {
			return at + " is no number"
		}
	case bool:
		if _, ok := got.(bool); !ok {
			return at + " is no boolean"
		}
	}
	return ""
}
