// Package hedera stands in for a Hedera network on one machine: consensus
// nodes that speak the network's own gRPC protocol, and a mirror node's REST
// API over the same state.
//
// It checks what the network checks: the payer's ECDSA signature (low S only),
// a topic's submit key, the transaction's validity window, duplicates, sizes,
// fees and balances. There is no consensus between nodes: one process holds the state
// of all of them. The name of the network is "local".
package hedera

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/hiero-ledger/hiero-sdk-go/v2/proto/services"
	"google.golang.org/grpc"

	"github.com/lafaekstreet/backend/infra/local/faults"
)

// Network is the name of this network. It shows that its messages are not public ones.
const Network = "local"

// Options configure a Server. The zero value is a working network without accounts.
type Options struct {
	// Dir keeps the state; empty keeps it in memory only.
	Dir string
	// NodeAddrs are the listening addresses of the consensus nodes 0.0.3, 0.0.4, …;
	// none means two nodes on free loopback ports.
	NodeAddrs []string
	// MirrorAddr is the REST listening address; empty means a free loopback port.
	MirrorAddr string
	// ConsensusDelay is the time from acceptance to consensus.
	ConsensusDelay time.Duration
	// MirrorLag is the time from consensus until the mirror node shows a message.
	MirrorLag time.Duration
	// Faults make calls of the services "hedera" and "mirror" fail; with nil no call fails.
	Faults *faults.Set
	// Now is the network's clock; nil means the machine's.
	Now func() time.Time
}

// Server is a running stand-in. It is safe for concurrent use.
type Server struct {
	opts   Options
	state  *state
	nodes  []*node
	rpc    []*grpc.Server
	rest   *http.Server
	mirror net.Listener
	// done ends calls held by a timeout fault when the server closes.
	done   chan struct{}
	closed sync.Once

	callsMu sync.Mutex
	calls   map[string]int
}

// Start listens and serves until Close. It loads the state that an earlier run kept in opts.Dir.
func Start(opts Options) (*Server, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	st, err := openState(opts)
	if err != nil {
		return nil, err
	}
	s := &Server{opts: opts, state: st, done: make(chan struct{}), calls: map[string]int{}}
	if err := s.listen(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) listen() error {
	addrs := s.opts.NodeAddrs
	if len(addrs) == 0 {
		addrs = []string{"127.0.0.1:0", "127.0.0.1:0"}
	}
	for i, addr := range addrs {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return fmt.Errorf("hedera: listen for consensus node %d: %w", i, err)
		}
		n := &node{server: s, account: int64(3 + i), addr: l.Addr().String()}
		rpc := grpc.NewServer()
		services.RegisterConsensusServiceServer(rpc, consensusService{node: n})
		services.RegisterCryptoServiceServer(rpc, cryptoService{node: n})
		s.nodes, s.rpc = append(s.nodes, n), append(s.rpc, rpc)
		go func() { _ = rpc.Serve(l) }()
	}
	l, err := net.Listen("tcp", cmp.Or(s.opts.MirrorAddr, "127.0.0.1:0"))
	if err != nil {
		return fmt.Errorf("hedera: listen for mirror: %w", err)
	}
	s.mirror = l
	s.rest = &http.Server{Handler: s.mirrorHandler(), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.rest.Serve(l) }()
	return nil
}

// Close stops serving. State in Dir stays.
func (s *Server) Close() error {
	var err error
	s.closed.Do(func() {
		close(s.done)
		for _, rpc := range s.rpc {
			rpc.Stop()
		}
		if s.rest != nil {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			if s.rest.Shutdown(ctx) != nil {
				err = s.rest.Close()
			}
		}
		err = errors.Join(err, s.state.close())
	})
	return err
}

// NodeAddr is the host:port of the first consensus node, account 0.0.3.
func (s *Server) NodeAddr() string { return s.nodes[0].addr }

// Nodes maps every node's host:port to its account id, as clients configure them.
func (s *Server) Nodes() map[string]string {
	m := make(map[string]string, len(s.nodes))
	for _, n := range s.nodes {
		m[n.addr] = formatID(n.account)
	}
	return m
}

// MirrorURL is the base URL of the mirror node, without a trailing slash.
func (s *Server) MirrorURL() string { return "http://" + s.mirror.Addr().String() }

// Calls is the number of calls of an operation since the start
// ("SubmitMessage", "GetTransactionReceipts", …), faulty calls included.
func (s *Server) Calls(operation string) int {
	s.callsMu.Lock()
	defer s.callsMu.Unlock()
	return s.calls[operation]
}

func (s *Server) count(operation string) {
	s.callsMu.Lock()
	defer s.callsMu.Unlock()
	s.calls[operation]++
}

// hold blocks a call with a timeout fault until its caller or the server ends.
func (s *Server) hold(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.done:
		return context.Canceled
	}
}
