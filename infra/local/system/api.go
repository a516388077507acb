package system

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/lafaekstreet/backend/infra/local/console"
)

const (
	// drainTimeout is how long running work may go on after a stop.
	drainTimeout = 5 * time.Second
	// readTimeout is long because a phone on a bad link sends a picture slowly.
	readTimeout = 2 * time.Minute
)

// openAPI opens the port of the API. It is called before anything is installed or started, so that a taken port is
// reported at once.
func (s *System) openAPI(ctx context.Context) error {
	port, err := s.port()
	if err != nil {
		return err
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", net.JoinHostPort("", strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %d is taken by another program: stop it, or choose another port, as in PORT=%d make run", port, port+100)
	}
	if err != nil {
		return fmt.Errorf("listen on port %d: %w", port, err)
	}
	s.listener = listener
	s.onStop("port", func() error {
		if err := listener.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	s.set("PUBLIC_BASE_URL", s.URL())
	return nil
}

// URL is the address of the API on this machine.
func (s *System) URL() string {
	_, port, err := net.SplitHostPort(s.listener.Addr().String())
	if err != nil {
		return ""
	}
	return "http://localhost:" + port
}

func (s *System) serveAPI(front http.Handler) error {
	server := &http.Server{Handler: front, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: readTimeout, IdleTimeout: 2 * time.Minute}
	go func() {
		if err := server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.fail(fmt.Errorf("API: %w", err))
		}
	}()
	s.onStop("API", func() error {
		ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
		defer cancel()
		if err := server.Shutdown(ctx); errors.Is(err, context.DeadlineExceeded) {
			return server.Close()
		} else if err != nil {
			return err
		}
		return nil
	})
	return nil
}

// withConsole serves the console beside the API. The console shows the stand-ins that run.
func (s *System) withConsole(api http.Handler, schedules console.Schedules) http.Handler {
	sources := console.Sources{Faults: s.faults, Schedules: schedules, Links: []console.Link{
		{Title: "API documentation", URL: "/docs"}, {Title: "OpenAPI", URL: "/openapi.json"},
	}}
	// Each is set only when it is there: a nil pointer in an interface is not nil.
	if s.stand.aws != nil {
		sources.Queues, sources.AI = s.stand.aws.SQS, s.stand.aws.Bedrock
	}
	if s.stand.hedera != nil {
		sources.Ledger = s.stand.hedera
	}
	if s.stand.mail != nil {
		sources.Mail = s.stand.mail
	}
	if s.stand.push != nil {
		sources.Push = s.stand.push
	}
	if s.stand.google != nil {
		sources.Google = s.stand.google
	}
	shown := console.New(sources)
	// A ServeMux would answer a path with an empty segment with a redirect.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, console.Path) {
			shown.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	})
}
