package ledger

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestTheGuideNamesEveryMember holds /docs/guides/log to what payloads and commitments contain: an outsider has nothing else.
func TestTheGuideNamesEveryMember(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../functions/meta/guide/log.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []any{payload{}, logPayload{}, LedgerKey{}, content{}, contentV1{}, PriorRows{}, KeySet{}, Receipt{}} {
		for _, name := range members(reflect.TypeOf(part)) {
			if !strings.Contains(string(guide), "`"+name+"`") {
				t.Errorf("the guide does not say what %s of %T is", name, part)
			}
		}
	}
	for _, kind := range []Type{Submitted, StatusMoved, AIValidated, Amended, Withdrawn, Hidden, Erased, Commented, Uncommented, Assigned, Disputed, KeyChanged, Incident} {
		if !strings.Contains(string(guide), "`"+string(kind)+"`") {
			t.Errorf("the guide does not say when %s is written", kind)
		}
	}
}

// members are the names of all members of a type, and of the objects in it.
func members(of reflect.Type) []string {
	for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
		of = of.Elem()
	}
	if of.Kind() != reflect.Struct || !strings.HasPrefix(of.PkgPath(), "github.com/lafaekstreet/") {
		return nil
	}
	var out []string
	for i := range of.NumField() {
		field := of.Field(i)
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" {
			out = append(out, name)
		}
		out = append(out, members(field.Type)...)
	}
	return out
}
