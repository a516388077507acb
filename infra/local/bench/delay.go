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

// delayed listens on loopback until ctx ends and passes everything on to the database at address, each direction half
// of roundTrip later. It returns the address to connect to instead.
func delayed(ctx context.Context, address string, roundTrip time.Duration) (string, error) {
	server, err := url.Parse(address)
	if err != nil {
		return "", errors.New("delay: the database's address is no URL")
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

// parcel is bytes and when they are due.
type parcel struct {
	bytes []byte
	due   time.Time
}

// passOn copies from one connection to the other, everything later by delay, and closes both in the end.
func passOn(from, to net.Conn, delay time.Duration) {
	parcels := make(chan parcel, 256)
	go func() {
		defer to.Close()
		for p := range parcels {
			time.Sleep(time.Until(p.due))
			if _, err := to.Write(p.bytes); err != nil {
				_ = from.Close() // ends the loop below
			}
		}
	}()
	defer close(parcels)
	for {
		buffer := make([]byte, 16<<10)
		n, err := from.Read(buffer)
		if n > 0 {
			parcels <- parcel{buffer[:n], time.Now().Add(delay)}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				_ = from.Close()
			}
			return
		}
	}
}
