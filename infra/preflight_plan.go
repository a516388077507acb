package main

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/lafaekstreet/backend/infra/preflight"
	"github.com/lafaekstreet/backend/shared/catalog"
)

// runPreflight checks the account before a deploy, with the settings that the deploy would have.
func runPreflight(ctx context.Context, root string) error {
	s, err := operatorSettings(root)
	if err != nil {
		return err
	}
	env := make(map[string]string)
	for _, kv := range os.Environ() {
		name, value, _ := strings.Cut(kv, "=")
		env[name] = value
	}
	return preflight.Run(ctx, s.plan(root), env, os.Stdout)
}

// plan is what preflight has to know of the settings.
func (s settings) plan(root string) preflight.Plan {
	p := preflight.Plan{
		Managed: s.managed(), Account: s.Account, Region: s.Region,
		MailSecret: s.MailSecret, PushSecret: s.PushSecret, FunctionCA: caPath, Zones: s.Zones,
		Domain: s.Domain, Certificate: s.Certificate, HostedZone: s.HostedZone, PublicBaseURL: s.PublicBaseURL,
		BedrockRegion: s.BedrockRegion, MailFrom: s.MailFrom, AlarmEmail: s.AlarmEmail,
	}
	if s.DatabaseCA != "" {
		p.CAFile = filepath.Join(root, s.DatabaseCA)
	}
	if s.managed() && s.Nat == "instance" {
		p.NatType = natType
	}
	if !s.managed() {
		p.DatabaseSecret, p.MigrationSecret, p.DatabaseMode = s.DatabaseSecret, s.MigrationSecret, s.DatabaseMode
		if s.Cache {
			p.CacheSecret = s.CacheSecret
		}
	}
	for _, setting := range []struct{ name, id string }{{"ai_model", s.AIModel}, {"embedding_model", s.EmbeddingModel}} {
		m, err := parseModel(setting.id)
		if err == nil { // readSettings has refused others
			p.Models = append(p.Models, preflight.Model{Setting: setting.name, ID: m.id, Base: cmp.Or(m.base, m.id)})
		}
	}
	for _, q := range catalog.Queues() {
		p.Workers += q.Concurrency
	}
	return p
}
