package main

import (
	"strings"
	"testing"
)

// With migration_secret the function migrate alone knows the owner, and no function sets a role: its login has it.
func TestTheOwnerIsKnownToMigrateAlone(t *testing.T) {
	w, err := synthesize(`{"stage":"test","profile":"external","database_secret":"test/database","migration_secret":"test/owner",
		"database_exec_mode":"exec","database_statement_timeout":"10s"}`)
	if err != nil {
		t.Fatal(err)
	}
	const owner = "arn:aws:secretsmanager:us-east-1:000000000000:secret:test/owner-abcdef"
	for _, f := range w.Functions() {
		migrates := strings.HasSuffix(f.Name, "migrate")
		if knows := f.Env["DATABASE_OWNER_URL_SECRET_ARN"] != ""; knows != migrates || f.Allows("secretsmanager:GetSecretValue", owner) != migrates {
			t.Errorf("%s knows the owner: %v", f.Name, knows)
		}
		limit := ""
		if migrates {
			limit = "10s"
		}
		if f.Env["DATABASE_ROLE"] != "" || f.Env["DATABASE_STATEMENT_TIMEOUT"] != limit {
			t.Errorf("%s sets the role %q and the limit %q", f.Name, f.Env["DATABASE_ROLE"], f.Env["DATABASE_STATEMENT_TIMEOUT"])
		}
	}
}
