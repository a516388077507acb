package database

import (
	"cmp"
	"context"
	"time"
)

// Owner is how commands of the operator and of a deploy reach the database. They work as the login that owns the schema.
type Owner struct {
	// FunctionsURL is the address that functions use.
	FunctionsURL string `env:"DATABASE_URL,required,notEmpty"`
	// OwnerURL is an address of the owner without a pooler in between. Empty: the functions sign in as the owner.
	OwnerURL string `env:"DATABASE_OWNER_URL"`
	// ExecMode is that of Config. It is for FunctionsURL.
	ExecMode string `env:"DATABASE_EXEC_MODE" envDefault:"cache_statement"`
}

// URL is the address at which the owner signs in.
func (o Owner) URL() string { return cmp.Or(o.OwnerURL, o.FunctionsURL) }

// Open opens a pool of at most conns connections of the owner. A statement may take as long as limit; 0 keeps the limit of the login.
func (o Owner) Open(ctx context.Context, conns int32, limit time.Duration) (*DB, error) {
	mode := o.ExecMode
	if o.OwnerURL != "" || mode == "" {
		mode = "cache_statement"
	}
	return Open(ctx, Config{URL: o.URL(), MaxConns: conns, ExecMode: mode, StatementTimeout: limit})
}
