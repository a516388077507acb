// Package deployed runs the system of a synthesis on one machine: the real binaries under a Runtime API. Routes, queues,
// variables and policies are those of the templates. The package contains no names of functions: it does only what the
// templates say.
package deployed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/lafaekstreet/backend/infra/assembly"
	"github.com/lafaekstreet/backend/infra/binary"
	"github.com/lafaekstreet/backend/infra/runtimeapi"
	"github.com/lafaekstreet/backend/shared/catalog"
)

// Options say what to run.
type Options struct {
	Assembly *assembly.Assembly
	// Root is the folder of the module, whose functions Build has built.
	Root string
	// Secrets are the values, by name, of the secrets that an operator makes before the first deploy.
	Secrets map[string]string
	// Point replaces the values of variables that the templates set, by the addresses of stand-ins.
	Point map[string]string
	// Endpoints are variables that are not set in AWS, where their defaults are right.
	Endpoints map[string]string
	// Prepare is called after the resources are made and before any function runs. It may add to Point.
	Prepare func(ctx context.Context, d *Deployment) error
	Log     io.Writer // of the functions
}

// Deployment is a system that runs.
type Deployment struct {
	options   Options
	assembly  *assembly.Assembly
	world     assembly.World
	standIn   *standIn
	functions map[string]*function // by key in the assembly
	gateway   *http.Server
	url       string
	log       *slog.Logger
	cancel    context.CancelFunc
	tasks     sync.WaitGroup
	stops     []func() error
	memories  []memory
}

// smallest is the memory limit of HTTP functions in MiB. Templates give them more, because Lambda gives CPU in proportion
// to memory; the function must work with this limit too.
const smallest = 256

// environments is the number of execution environments of one HTTP function. Lambda also starts another one when all are
// busy.
const environments = 2

// Build builds every function of an assembly for this machine. root is the folder of the module.
func Build(ctx context.Context, a *assembly.Assembly, root string) error {
	var functions []catalog.Function
	for _, f := range a.Functions() {
		functions = append(functions, catalog.Function{Name: catalog.FunctionName(short(f.Name))})
	}
	return binary.BuildAll(ctx, root, functions, runtime.GOARCH, func(name string) string { return path(root, name) })
}

// path is the file of a function that Build has built.
func path(root, name string) string { return filepath.Join(root, ".run", "host", name, "bootstrap") }

// Start deploys in the order of CloudFormation: resources, keys and schema, functions, the check of the functions, then
// event sources, schedules and the gateway.
func Start(ctx context.Context, o Options) (*Deployment, error) {
	d := &Deployment{options: o, assembly: o.Assembly, functions: make(map[string]*function),
		log: slog.New(slog.NewTextHandler(o.Log, nil)).With("function", "deployed")}
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	d.cancel = cancel
	if o.Prepare == nil {
		d.options.Prepare = func(context.Context, *Deployment) error { return nil }
	}
	prepare := func(ctx context.Context) error { return d.options.Prepare(ctx, d) }
	before := func(ctx context.Context) error { return d.apply(ctx, "Custom::Key", "Custom::Schema") }
	after := func(ctx context.Context) error { return d.apply(ctx, "Custom::Verified") }
	for _, step := range []func(context.Context) error{
		d.createResources, prepare, before, d.startFunctions, after, d.startSources, d.startSchedules, d.startGateway,
	} {
		if err := step(background); err != nil {
			return nil, errors.Join(err, d.Close())
		}
	}
	return d, nil
}

// URL is the address of the API.
func (d *Deployment) URL() string { return d.url }

// Close stops everything, the gateway first.
func (d *Deployment) Close() error {
	d.cancel()
	var errs []error
	if d.gateway != nil {
		errs = append(errs, d.gateway.Close())
	}
	d.tasks.Wait()
	for i := len(d.stops) - 1; i >= 0; i-- {
		errs = append(errs, d.stops[i]())
	}
	return errors.Join(errs...)
}

// function is a function with its execution environments.
type function struct {
	assembly.Function
	idle    chan *runtimeapi.Function
	guard   *guard
	timeout time.Duration
}

// Invoke sends one event to a free environment, and waits for one if all are busy.
func (f *function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	select {
	case env := <-f.idle:
		defer func() { f.idle <- env }()
		return env.Invoke(ctx, payload)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// short is the name of a function in this repository: the last word of its name in AWS.
func short(name string) string { return name[strings.LastIndex(name, "-")+1:] }

// run starts a function with n execution environments. Each may use room MiB of memory.
func (d *Deployment) run(f assembly.Function, n, room int) (*function, error) {
	g, err := newGuard(d.standIn.server.URL(), f, d.lambda)
	if err != nil {
		return nil, err
	}
	d.stops = append(d.stops, g.Close)
	env, err := d.environment(f, g)
	if err != nil {
		return nil, err
	}
	out := &function{Function: f, idle: make(chan *runtimeapi.Function, n), guard: g, timeout: time.Duration(f.Timeout) * time.Second}
	for range n {
		r, err := runtimeapi.New(runtimeapi.Config{
			Name: f.Name, Binary: path(d.options.Root, short(f.Name)), Env: env, Timeout: out.timeout, Memory: f.Memory, Limit: room,
			Region: d.world.Region, Account: d.world.Account, Log: d.options.Log,
		})
		if err != nil {
			return nil, err
		}
		d.stops = append(d.stops, r.Close)
		out.idle <- r
		d.memories = append(d.memories, memory{short(f.Name), room, r})
	}
	return out, nil
}

// environment returns the variables of the template. It replaces the addresses of services by those of the stand-ins.
func (d *Deployment) environment(f assembly.Function, g *guard) (map[string]string, error) {
	env := make(map[string]string)
	for name, value := range f.Env {
		if point, ok := d.options.Point[name]; ok {
			value = point
		}
		if strings.HasPrefix(value, "<") {
			return nil, fmt.Errorf("%s: %s is %s", f.Name, name, value)
		}
		env[name] = value
	}
	for name, value := range d.options.Endpoints {
		env[name] = value
	}
	for name, value := range d.standIn.server.Env() {
		if name == "AWS_ENDPOINT_URL" {
			value = g.URL()
		}
		env[name] = value
	}
	env["S3_PATH_STYLE"] = "true"
	return env, nil
}

func (d *Deployment) startFunctions(context.Context) error {
	called := make(map[string]bool) // functions that the gateway calls, several at once
	routes, err := d.assembly.Routes()
	if err != nil {
		return err
	}
	for _, r := range routes {
		called[r.Function.Key()] = true
	}
	for _, f := range d.assembly.Functions() {
		if d.functions[f.Key()] != nil {
			continue
		}
		n, room := 1, f.Memory
		if called[f.Key()] {
			n, room = environments, min(f.Memory, smallest)
		}
		for _, s := range d.assembly.Sources() {
			if s.Function.Key() == f.Key() {
				n = s.Concurrency
			}
		}
		if d.functions[f.Key()], err = d.run(f, min(n, 2), room); err != nil {
			return err
		}
	}
	return nil
}

func (d *Deployment) startGateway(context.Context) error {
	g, err := newGateway(d)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	d.url = "http://" + l.Addr().String()
	d.gateway = &http.Server{Handler: g, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = d.gateway.Serve(l) }() // ends with Close
	return nil
}

// Refused lists the requests of functions that their policies do not allow.
func (d *Deployment) Refused() []string {
	var out []string
	for _, f := range d.functions {
		for _, r := range f.guard.refused() {
			out = append(out, short(f.Name)+": "+r)
		}
	}
	return out
}

// memory is an execution environment and the memory that it may use.
type memory struct {
	name  string
	limit int // MiB
	env   *runtimeapi.Function
}

// Memory is the memory that an execution environment has used so far.
type Memory struct {
	Function string
	Limit    int   // MiB
	Peak     int64 // bytes resident
	Starts   int   // more than one if it died or was ended at its timeout
}

// Memories lists every execution environment that was called.
func (d *Deployment) Memories() ([]Memory, error) {
	var out []Memory
	for _, m := range d.memories {
		peak, starts, err := m.env.Memory()
		if err != nil {
			return nil, fmt.Errorf("memory of %s: %w", m.name, err)
		}
		if starts > 0 {
			out = append(out, Memory{Function: m.name, Limit: m.limit, Peak: peak, Starts: starts})
		}
	}
	return out, nil
}
