package main

import (
	"slices"
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

// In the managed profile each function signs in to the database with its own login and no other, and only migrate knows the owner.
func TestEachFunctionSignsInAsItself(t *testing.T) {
	all, err := synthesized()
	if err != nil {
		t.Fatal(err)
	}
	w := all["managed"]
	var logins, made []string
	for _, f := range w.Functions() {
		name := strings.TrimPrefix(f.Name, w.settings.name(""))
		login, _, _ := strings.Cut(strings.TrimPrefix(f.Env["DATABASE_URL"], "postgres://"), "@")
		switch {
		case name == "migrate":
			made = strings.Split(f.Env["DATABASE_LOGINS"], ",")
			if !strings.HasPrefix(login, ownerName+":") || f.Env["DATABASE_AUTH"] != "" {
				t.Errorf("migrate signs in as %s", login)
			}
			continue
		case f.Env["DATABASE_URL"] == "":
			continue
		}
		logins = append(logins, login)
		if login != "lafaek_"+name || f.Env["DATABASE_AUTH"] != "iam" || f.Env["DATABASE_PASSWORD_SECRET_ARN"] != "" || f.Env["LIMITS_KEY_SECRET_ARN"] == "" {
			t.Errorf("%s signs in as %s: %v", name, login, f.Env)
		}
		for _, s := range f.Policy {
			if slices.Contains(s.Actions, "rds-db:connect") && !slices.Equal(s.Resources, []string{"arn:aws:rds-db:us-east-1:000000000000:dbuser:cluster-*/" + login}) {
				t.Errorf("%s may sign in as %v; a restored cluster has another id", name, s.Resources)
			}
		}
	}
	slices.Sort(logins)
	slices.Sort(made)
	if len(logins) < 10 || !slices.Equal(logins, made) {
		t.Errorf("functions have the logins %v, migrate makes %v", logins, made)
	}
	if c := w.OfType("AWS::RDS::DBCluster")[0]; c.Properties["EnableIAMDatabaseAuthentication"] != true {
		t.Error("the cluster accepts no tokens")
	}
}
