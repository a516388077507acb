package pipeline_test

import (
	"net"
	"sync"
	"testing"
)

// proxy is a TCP proxy in front of a server. A test can cut its connections.
type proxy struct {
	listener net.Listener

	mu     sync.Mutex
	to     string
	chunks int // how many still pass before the cut; 0: no cut
	cut    bool
	open   map[net.Conn]bool
}

func listen(t testing.TB, to string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, to: to, open: map[net.Conn]bool{}}
	t.Cleanup(func() {
		_ = listener.Close()
		p.closeAll()
	})
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p
}

// cutAt closes all connections before the n-th piece of data that clients send from now on, and refuses new ones.
func (p *proxy) cutAt(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.chunks, p.cut = n, false
}

// restore accepts connections again.
func (p *proxy) restore() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.chunks, p.cut = 0, false
}

func (p *proxy) wasCut() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cut
}

// redirect sends new connections to another address.
func (p *proxy) redirect(to string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.to = to
}

func (p *proxy) closeAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.open {
		_ = conn.Close()
	}
	clear(p.open)
}

func (p *proxy) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	p.mu.Lock()
	to, dead := p.to, p.cut
	p.mu.Unlock()
	if dead {
		return
	}
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	p.mu.Lock()
	p.open[client], p.open[server] = true, true
	p.mu.Unlock()
	go pipe(client, server, func() bool { return true })
	pipe(server, client, p.mayPass)
}

// mayPass counts a piece of data, cuts the connections when cutAt says so, and reports whether the data may pass.
func (p *proxy) mayPass() bool {
	p.mu.Lock()
	if p.chunks > 0 {
		if p.chunks--; p.chunks == 0 {
			p.cut = true
		}
	}
	dead := p.cut
	p.mu.Unlock()
	if dead {
		p.closeAll()
	}
	return !dead
}

// pipe copies from one connection to the other as long as may returns true.
func pipe(to, from net.Conn, may func() bool) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			if !may() {
				return
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			_ = to.Close()
			return
		}
	}
}
