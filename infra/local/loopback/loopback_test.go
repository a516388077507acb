package loopback_test

import (
	"net/http"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/loopback"
)

func TestListenRefusesReachableAddresses(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:80", "example.com:80", "nonsense"} {
		if l, err := loopback.Listen(addr); err == nil {
			_ = l.Close()
			t.Errorf("listened on %q", addr)
		}
	}
}

func TestServesUntilClose(t *testing.T) {
	t.Parallel()
	l, err := loopback.Listen("")
	if err != nil {
		t.Fatal(err)
	}
	s := loopback.Start(l, http.NotFoundHandler())
	res, err := http.Get(s.URL() + "/x")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusNotFound {
		t.Errorf("status %d", res.StatusCode)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if res, err := http.Get(s.URL()); err == nil {
		_ = res.Body.Close()
		t.Error("still serving after Close")
	}
}
