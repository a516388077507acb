// Package runtimeapi runs the binary of a Lambda function as Lambda does: behind the Runtime API, one invocation at a time,
// with the environment of the function alone. A function that reaches its timeout is ended, and started again for the next
// event.
package runtimeapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// MaxPayload is the most bytes of an event and of a response in Lambda.
const MaxPayload = 6_291_556

// initTimeout is how long a function may take from its start until it asks for its first event.
const initTimeout = 10 * time.Second

// Config is a function as its template describes it.
type Config struct {
	Name    string
	Binary  string            // path of its bootstrap
	Env     map[string]string // in addition to the variables that Lambda sets
	Timeout time.Duration     // of one invocation; 3 s when zero, as in Lambda
	Memory  int               // MiB, as the function reads it in its environment
	Limit   int               // MiB the process may take; 0 for any (on Linux)
	Region  string
	Account string
	Log     io.Writer // its standard output and error; nil drops them
}

// Function is one execution environment. Invocations wait for each other.
type Function struct {
	config   Config
	listener net.Listener
	server   *http.Server

	turn     chan struct{} // holds a token while an invocation is under way
	mu       sync.Mutex
	process  *process
	serial   int
	starts   int
	shutdown bool
}

// process is one life of the binary.
type process struct {
	cmd    *exec.Cmd
	idle   chan struct{}    // gets a token when the function asks for an event
	next   chan *invocation // events for the function
	failed chan *Error      // the function's own report of why it cannot start
	exited chan struct{}
	once   sync.Once
	born   time.Time
	polled time.Time
}

type invocation struct {
	id       string
	payload  []byte
	deadline time.Time
	result   chan result
}

type result struct {
	payload []byte
	err     *Error
}

// Error is a failure of the function: its own error, a crash or a timeout.
type Error struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

// Error implements error.
func (e *Error) Error() string { return e.Type + ": " + e.Message }

// New prepares a function. Its binary starts with the first invocation or with Start.
func New(c Config) (*Function, error) {
	if c.Timeout == 0 {
		c.Timeout = 3 * time.Second
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("runtime API of %s: %w", c.Name, err)
	}
	f := &Function{config: c, listener: l, turn: make(chan struct{}, 1)}
	f.server = &http.Server{Handler: f.routes(), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = f.server.Serve(l) }() // ends with Close
	return f, nil
}

// Start starts the binary and waits until it asks for its first event. It returns how long that took from exec.
func (f *Function) Start(ctx context.Context) (time.Duration, error) {
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	p, err := f.warm(ctx)
	if err != nil {
		return 0, err
	}
	return p.polled.Sub(p.born), nil
}

// Invoke sends one event and returns the response. It waits while another invocation is under way. A failure of the function
// is an *Error.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	if len(payload) > MaxPayload {
		return nil, &Error{Type: "RequestTooLarge", Message: fmt.Sprintf("an event of %d bytes", len(payload))}
	}
	select {
	case f.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p, err := f.warm(ctx)
	if err != nil {
		<-f.turn
		return nil, err
	}
	f.serial++
	r := f.call(p, &invocation{
		id: fmt.Sprintf("00000000-0000-4000-8000-%012d", f.serial), payload: payload,
		deadline: time.Now().Add(f.config.Timeout), result: make(chan result, 1),
	})
	go func() { // an invocation is over when the function asks for the next event or ends
		defer func() { <-f.turn }()
		select {
		case <-p.idle:
		case <-p.exited:
		case <-time.After(f.config.Timeout):
			f.kill(p)
		}
	}()
	if r.err != nil {
		return nil, r.err
	}
	return r.payload, nil
}

// call gives one invocation to p and waits for the answer. It ends a process that does not answer in time. The caller holds
// the turn.
func (f *Function) call(p *process, call *invocation) result {
	timeout := time.NewTimer(f.config.Timeout)
	defer timeout.Stop()
	select {
	case p.next <- call:
	case <-p.exited:
		return result{err: exitError(p)}
	case <-timeout.C:
		f.kill(p)
		return result{err: f.timedOut(call)}
	}
	select {
	case r := <-call.result:
		return r
	case <-p.exited:
		select {
		case r := <-call.result: // it answered before it ended
			return r
		default:
			return result{err: exitError(p)}
		}
	case <-timeout.C:
		f.kill(p)
		return result{err: f.timedOut(call)}
	}
}

func (f *Function) timedOut(call *invocation) *Error {
	return &Error{Type: "Sandbox.Timedout",
		Message: fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", call.id, f.config.Timeout.Seconds())}
}

func exitError(p *process) *Error {
	return &Error{Type: "Runtime.ExitError", Message: "Runtime exited: " + p.cmd.ProcessState.String()}
}

// warm returns the running process, and starts one if there is none. The caller holds the turn.
func (f *Function) warm(ctx context.Context) (*process, error) {
	f.mu.Lock()
	p, closed := f.process, f.shutdown
	f.mu.Unlock()
	if closed {
		return nil, errors.New("function is closed")
	}
	if p != nil {
		select {
		case <-p.exited:
		default:
			return p, nil
		}
	}
	p, err := f.launch()
	if err != nil {
		return nil, err
	}
	wait, cancel := context.WithTimeout(ctx, initTimeout)
	defer cancel()
	select {
	case <-p.idle:
		return p, nil
	case err := <-p.failed:
		f.kill(p)
		return nil, err
	case <-p.exited:
		return nil, &Error{Type: "Runtime.ExitError", Message: "Runtime exited during init: " + p.cmd.ProcessState.String()}
	case <-wait.Done():
		f.kill(p)
		return nil, &Error{Type: "Sandbox.Timedout", Message: "no event asked for within the init phase"}
	}
}

func (f *Function) launch() (*process, error) {
	cmd := exec.Command(f.config.Binary)
	cmd.Env = f.environment()
	cmd.Dir = os.TempDir()
	cmd.Stdout, cmd.Stderr = f.config.Log, f.config.Log
	cmd.SysProcAttr = attributes()
	cmd.WaitDelay = time.Second
	p := &process{
		cmd: cmd, idle: make(chan struct{}, 1), next: make(chan *invocation), failed: make(chan *Error, 1),
		exited: make(chan struct{}),
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.shutdown {
		return nil, errors.New("function is closed")
	}
	p.born = time.Now()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", f.config.Name, err)
	}
	if err := limit(cmd.Process.Pid, f.config.Limit); err != nil {
		_ = cmd.Process.Kill() // it may have ended already
		_ = cmd.Wait()
		return nil, fmt.Errorf("start %s: %w", f.config.Name, err)
	}
	f.process = p
	f.starts++
	go func() {
		_ = cmd.Wait() // ProcessState says how it ended
		close(p.exited)
	}()
	return p, nil
}

// environment is the variables that Lambda sets and those of the function.
func (f *Function) environment() []string {
	c := f.config
	env := map[string]string{
		"AWS_LAMBDA_RUNTIME_API":          f.listener.Addr().String(),
		"AWS_LAMBDA_FUNCTION_NAME":        c.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(max(c.Memory, 128)),
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/" + c.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME":      "local",
		"AWS_REGION":                      c.Region,
		"AWS_DEFAULT_REGION":              c.Region,
		"LAMBDA_TASK_ROOT":                "/var/task",
		"_HANDLER":                        "bootstrap",
		"TZ":                              ":UTC",
		"LANG":                            "en_US.UTF-8",
		"PATH":                            "/usr/local/bin:/usr/bin/:/bin",
		"TMPDIR":                          os.TempDir(),
	}
	for name, value := range c.Env {
		env[name] = value
	}
	out := make([]string, 0, len(env))
	for name, value := range env {
		out = append(out, name+"="+value)
	}
	slices.Sort(out)
	return out
}

// Memory returns the most memory that the running process has had resident, in bytes, and how many processes were started.
// More than one start means that a process died. Both are 0 before the first event.
func (f *Function) Memory() (int64, int, error) {
	f.mu.Lock()
	p, n := f.process, f.starts
	f.mu.Unlock()
	if p == nil {
		return 0, n, nil
	}
	bytes, err := peak(p.cmd.Process.Pid)
	return bytes, n, err
}

func (f *Function) arn() string {
	return fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", f.config.Region, f.config.Account, f.config.Name)
}

// kill ends a process and waits until it has ended.
func (f *Function) kill(p *process) {
	_ = p.cmd.Process.Signal(syscall.SIGKILL) // it may have ended already
	<-p.exited
}

// Close ends the process and the server.
func (f *Function) Close() error {
	f.mu.Lock()
	f.shutdown = true
	p := f.process
	f.mu.Unlock()
	if p != nil {
		f.kill(p)
	}
	return f.server.Close()
}
