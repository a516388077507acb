package migrate_test

import (
	"context"
	"crypto/rand"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/functions/migrate"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/migrations"
	"github.com/lafaekstreet/backend/shared/config"
)

func TestApply(t *testing.T) {
	t.Parallel()
	want, err := migrations.Hash()
	if err != nil {
		t.Fatal(err)
	}
	m, err := migrate.Open(t.Context(), config.Env{"DATABASE_URL": testdb.URL(t)})
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []cfn.RequestType{cfn.RequestCreate, cfn.RequestUpdate} {
		id, data, err := m.Apply(t.Context(), cfn.Event{RequestType: kind})
		if err != nil || id != "schema" || data["Schema"] != want {
			t.Errorf("%s: got %q %v, %v", kind, id, data, err)
		}
		point, _ := data["RecoveryPoint"].(string)
		if _, err := time.Parse(time.RFC3339, point); err != nil {
			t.Errorf("%s: recovery point: %v", kind, err)
		}
	}
}

func TestApplyNamesTheRecoveryPointWhenItFails(t *testing.T) {
	t.Parallel()
	m, err := migrate.Open(t.Context(), config.Env{"DATABASE_URL": "postgres://nobody:secret@127.0.0.1:1/none?connect_timeout=1"})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = m.Apply(t.Context(), cfn.Event{RequestType: cfn.RequestCreate})
	if err == nil || !strings.Contains(err.Error(), "restore the database as of 20") || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

func TestOpenWithoutDatabase(t *testing.T) {
	t.Parallel()
	if _, err := migrate.Open(t.Context(), config.Env{}); err == nil || !strings.Contains(err.Error(), "DATABASE_URL") {
		t.Errorf("got %v", err)
	}
}

// TestOwnerWithoutSuperuser plays a managed database: extensions and schema are there, and the owner that the functions
// sign in as is an ordinary role that may make roles.
func TestOwnerWithoutSuperuser(t *testing.T) {
	t.Parallel()
	address := testdb.URL(t)
	admin, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close(context.WithoutCancel(t.Context())) }()
	owner := "owner_" + strings.ToLower(rand.Text())
	for _, q := range []string{"CREATE ROLE " + owner + " LOGIN CREATEROLE", "SET SESSION AUTHORIZATION " + owner} {
		if _, err := admin.Exec(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile("../../migrations/00001_extensions.sql")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile(`(?s)DO \$\$.*?\$\$;`).FindAllString(string(text), -1)
	if _, err := admin.Exec(t.Context(), "SET ROLE lafaek_app"); err == nil {
		t.Error("the role could be taken on before it was granted: this proves nothing")
	}
	for _, q := range append(blocks, "SET ROLE lafaek_app", "RESET SESSION AUTHORIZATION", "DROP OWNED BY "+owner, "DROP ROLE "+owner) {
		if _, err := admin.Exec(t.Context(), q); err != nil {
			t.Errorf("%.40s…: %v", q, err)
		}
	}
}
