package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"time"
)

// delayed starts a proxy for the database at address, which runs until ctx ends. It delays each direction by half of
// roundTrip. It returns the address of the proxy.
func delayed(ctx context.Context, address string, roundTrip time.Duration) (string, error) {
	server, err := url.Parse(address)
	if err != nil {
		return "", errors.New("delay: the address of the database is not a URL")
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("delay: %w", err)
	}
	context.AfterFunc(ctx, func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // closed
			}
			database, err := net.Dial("tcp", server.Host)
			if err != nil {
				_ = client.Close()
				continue
			}
			go passOn(client, database, roundTrip/2)
			go passOn(database, client, roundTrip/2)
		}
	}()
	out := *server
	out.Host = listener.Addr().String()
	return out.String(), nil
}

// chunk is a piece of data and the time to send it.
type chunk struct {
	bytes []byte
	due   time.Time
}

// passOn copies from one connection to the other with a delay. It closes both when one ends.
func passOn(from, to net.Conn, delay time.Duration) {
	chunks := make(chan chunk, 256)
	go func() {
		defer to.Close()
		for p := range chunks {
			time.Sleep(time.Until(p.due))
			if _, err := to.Write(p.bytes); err != nil {
				_ = from.Close() // ends the loop below
			}
		}
	}()
	defer close(chunks)
	for {
		buffer := make([]byte, 16<<10)
		n, err := from.Read(buffer)
		if n > 0 {
			chunks <- chunk{buffer[:n], time.Now().Add(delay)}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				_ = from.Close()
			}
			return
		}
	}
}
