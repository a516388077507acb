package main

import (
	"context"
	"encoding/base32"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/totp"
)

const (
	setupToken = "local-admin-setup"
	password   = "ponte-Comoro-77-B.R.O.S."
	// maxUnderWay bounds what is tried at once; while it is reached, nothing new is begun.
	maxUnderWay = 64
)

// driver is everybody who uses the system.
type driver struct {
	options options
	tally   *tally
	book    *book
	people  []*client
	staff   *client
	random  *rand.Rand // of the one goroutine that decides

	tasks    sync.WaitGroup
	underWay chan struct{}
	heldBack int
}

// newDriver signs everybody up.
func newDriver(ctx context.Context, o options) (*driver, error) {
	d := &driver{options: o, tally: newTally(), book: newBook(), random: rand.New(rand.NewPCG(o.seed, 7)), underWay: make(chan struct{}, maxUnderWay)}
	transport := &http.Transport{MaxIdleConnsPerHost: maxUnderWay, IdleConnTimeout: 30 * time.Second}
	fresh := func() *client {
		return &client{base: o.url + "/api/v1", http: &http.Client{Transport: transport}, tally: d.tally}
	}
	d.staff = fresh()
	if err := d.staff.administrate(ctx); err != nil {
		return nil, err
	}
	for i := range o.people {
		c := fresh()
		if err := c.join(ctx, o.url, fmt.Sprintf("load-%d-%s@example.org", i, uuid.NewString()[:8])); err != nil {
			return nil, err
		}
		d.people = append(d.people, c)
	}
	return d, nil
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// join makes a verified account and signs in.
func (c *client) join(ctx context.Context, base, email string) error {
	body := map[string]any{"email": email, "password": password, "full_name": "Maria da Costa", "preferred_language": "tet"}
	if _, err := c.must(ctx, asJSON("sign up", http.MethodPost, "/auth/register", body), http.StatusCreated); err != nil {
		return err
	}
	mail := &client{base: base, http: c.http, tally: c.tally}
	for range 240 {
		a, err := mail.must(ctx, request{kind: "console", method: http.MethodGet, path: "/_local/mail?to=" + url.QueryEscape(email)}, http.StatusOK)
		if err != nil {
			return err
		}
		if code := sixDigits.Find(a.raw); code != nil {
			a, err := c.must(ctx, asJSON("sign up", http.MethodPost, "/auth/verify-otp", map[string]any{"email": email, "otp": string(code)}), http.StatusOK)
			c.enter(a)
			return err
		}
		pause(ctx, 250*time.Millisecond)
	}
	return fmt.Errorf("no mail with a code reached %s", email)
}

func (c *client) enter(a answer) {
	c.token = a.text("access_token")
	if user, ok := a.body["user"].(map[string]any); ok {
		c.id, _ = user["id"].(string)
	}
}

// administrate sets the system's first administrator up.
func (c *client) administrate(ctx context.Context) error {
	const email = "load-admin@example.org"
	setup, err := c.must(ctx, asJSON("sign up", http.MethodPost, "/admin/setup", map[string]any{"setup_token": setupToken,
		"email": email, "password": password, "full_name": "Admin"}), http.StatusCreated)
	if err != nil {
		return fmt.Errorf("a system without an administrator is needed: %w", err)
	}
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(setup.text("secret"))
	if err != nil {
		return err
	}
	code := totp.Code(secret, totp.Step(time.Now()))
	login, err := c.must(ctx, asJSON("sign up", http.MethodPost, "/auth/login", map[string]any{"email": email, "password": password}), http.StatusOK)
	if err != nil {
		return err
	}
	a, err := c.must(ctx, asJSON("sign up", http.MethodPost, "/auth/totp/verify", map[string]any{"challenge_id": login.text("challenge_id"), "code": code}), http.StatusOK)
	c.enter(a)
	return err
}

// work begins actions at the rate until ctx ends. They go on for themselves.
func (d *driver) work(ctx context.Context) {
	tick := time.NewTicker(time.Duration(float64(time.Second) / d.options.rate))
	defer tick.Stop()
	unhurried := context.WithoutCancel(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		select {
		case d.underWay <- struct{}{}:
		default:
			d.heldBack++
			continue
		}
		act, who, seed := d.choose(), d.people[d.random.IntN(len(d.people))], d.random.Uint64()
		d.tasks.Go(func() {
			defer func() { <-d.underWay }()
			act(unhurried, who, rand.New(rand.NewPCG(seed, 1)))
		})
	}
}

// finish waits for what is under way.
func (d *driver) finish(ctx context.Context) error {
	done := make(chan struct{})
	go func() { d.tasks.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(5 * time.Minute):
		return fmt.Errorf("%d writes do not come to an end", len(d.underWay))
	}
}

type action func(ctx context.Context, who *client, random *rand.Rand)

func (d *driver) choose() action {
	switch n := d.random.IntN(100); {
	case n < 35:
		return d.file
	case n < 44:
		return d.fileBatch
	case n < 56:
		return d.comment
	case n < 76:
		return d.decide
	default:
		return d.read
	}
}
