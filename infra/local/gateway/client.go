package gateway

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// setClient sets the address of the client in the request, as API Gateway does: the address that connected. A peer on this
// machine is a proxy or a test; its X-Forwarded-For is used if it has one.
func setClient(r *http.Request) {
	host, port, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return
	}
	peer, err := netip.ParseAddr(host)
	if err != nil {
		return
	}
	client := peer
	if peer.IsLoopback() {
		if named, ok := lastForwarded(r.Header); ok {
			client = named
		}
	} else {
		r.Header.Set("X-Forwarded-Proto", "http")
	}
	r.RemoteAddr = net.JoinHostPort(client.String(), port)
	r.Header.Set("X-Forwarded-For", client.String())
}

// lastForwarded is the last address of X-Forwarded-For, which the nearest proxy has written. A client can have written
// the ones before it.
func lastForwarded(h http.Header) (netip.Addr, bool) {
	all := strings.Split(strings.Join(h.Values("X-Forwarded-For"), ","), ",")
	address, err := netip.ParseAddr(strings.TrimSpace(all[len(all)-1]))
	return address.WithZone(""), err == nil
}
