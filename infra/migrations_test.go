package main

import (
	"reflect"
	"testing"
)

// Migrate makes logins and gives them rights and limits, and it makes the schema of a database that takes the place of another. So
// CloudFormation calls it again after a change of settings too, and not only for a new migration.
func TestMigrateIsCalledAgainWhenItsSettingsChange(t *testing.T) {
	properties := func(members string) map[string]any {
		w, err := synthesize(`{"stage":"test","profile":"external","database_secret":"test/database"` + members + `}`)
		if err != nil {
			t.Fatal(err)
		}
		return w.OfType("Custom::Schema")[0].Properties
	}
	before := properties("")
	for _, change := range []string{`,"migration_secret":"test/owner"`, `,"log_origin":"log.example.org/log"`, `,"revision":"2"`} {
		if reflect.DeepEqual(properties(change), before) {
			t.Errorf("a deploy with %s does not call migrate", change)
		}
	}
	if !reflect.DeepEqual(properties(`,"log_days":7`), before) {
		t.Error("a setting that does not concern migrate calls it")
	}
	all, err := synthesized()
	if err != nil {
		t.Fatal(err)
	}
	if env, ok := all["managed"].OfType("Custom::Schema")[0].Properties["Configuration"].(map[string]any); !ok || env["DATABASE_LOGINS"] == "" || env["DATABASE_URL"] == nil {
		t.Error("the properties in the managed profile do not name the database and the logins")
	}
}
