package main

import (
	"path/filepath"
	"testing"

	"github.com/lafaekstreet/backend/infra/preflight"
)

// The preflight checks what the settings of the stage name.
func TestThePreflightReadsTheSettings(t *testing.T) {
	t.Parallel()
	s, err := readSettings([]byte(`{"profile":"external","database_secret":"d","migration_secret":"o","cache_secret":"c","mail_secret":"m","mail_from":"a@example.tl",
		"push_secret":"p","database_ca":"ca.pem","database_exec_mode":"exec","domain":"a.example","certificate":"arn","zones":["us-east-1a","us-east-1b"],"account":"1","region":"us-east-1"}`))
	if err != nil {
		t.Fatal(err)
	}
	p := s.plan("/top")
	for name, ok := range map[string]bool{
		"secrets": p.DatabaseSecret == "d" && p.MigrationSecret == "o" && p.CacheSecret == "c" && p.MailSecret == "m" && p.PushSecret == "p",
		"files":   p.CAFile == filepath.Join("/top", "ca.pem") && p.FunctionCA == caPath,
		"address": p.Domain == "a.example" && p.Certificate == "arn" && p.PublicBaseURL == "https://a.example",
		"place":   p.Account == "1" && p.Region == "us-east-1" && len(p.Zones) == 2 && !p.Managed && p.NatType == "",
		"mail":    p.MailFrom == "a@example.tl" && p.DatabaseMode == "exec",
		"workers": p.Workers == 30,
		"models": len(p.Models) == 2 && p.Models[0] == preflight.Model{Setting: "ai_model", ID: "us.amazon.nova-2-lite-v1:0", Base: "amazon.nova-2-lite-v1:0"} &&
			p.Models[1].ID == p.Models[1].Base,
	} {
		if !ok {
			t.Errorf("%s: %+v", name, p)
		}
	}
	s, err = readSettings([]byte(`{"profile":"managed","database_ca":"ca.pem"}`))
	if err != nil {
		t.Fatal(err)
	}
	if p := s.plan("/top"); !p.Managed || p.NatType != "t4g.nano" || p.DatabaseSecret != "" {
		t.Errorf("managed: %+v", p)
	}
}
