package pipeline_test

import (
	"net"
	"sync"
	"testing"
)

// line is the way to a database, which can be cut.
type line struct {
	listener net.Listener

	mu    sync.Mutex
	to    string
	words int // left until the cut; 0 is never
	cut   bool
	open  map[net.Conn]bool
}

func listen(t testing.TB, to string) *line {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{listener: listener, to: to, open: map[net.Conn]bool{}}
	t.Cleanup(func() {
		_ = listener.Close()
		l.hangUp()
	})
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go l.serve(conn)
		}
	}()
	return l
}

// cutAt ends all connections, for good, before the n-th thing said from now on.
func (l *line) cutAt(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.words, l.cut = n, false
}

// mend lets the line be used again.
func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.words, l.cut = 0, false
}

func (l *line) wasCut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cut
}

// lead says where the line leads from now on.
func (l *line) lead(to string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.to = to
}

func (l *line) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for conn := range l.open {
		_ = conn.Close()
	}
	clear(l.open)
}

func (l *line) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	l.mu.Lock()
	to, dead := l.to, l.cut
	l.mu.Unlock()
	if dead {
		return
	}
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	l.mu.Lock()
	l.open[client], l.open[server] = true, true
	l.mu.Unlock()
	go pipe(client, server, func() bool { return true })
	pipe(server, client, l.mayPass)
}

// mayPass counts a thing said, and cuts the line when its time has come.
func (l *line) mayPass() bool {
	l.mu.Lock()
	if l.words > 0 {
		if l.words--; l.words == 0 {
			l.cut = true
		}
	}
	dead := l.cut
	l.mu.Unlock()
	if dead {
		l.hangUp()
	}
	return !dead
}

// pipe carries what from says to to, as long as it may.
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
