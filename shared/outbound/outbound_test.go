package outbound_test

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/shared/outbound"
)

var (
	public = outbound.Config{}
	oneBox = outbound.Config{PrivateAddresses: true}
)

// get calls an address.
func get(t *testing.T, c *outbound.Client, address string, most int64) (outbound.Answer, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c.Do(req, most)
}

// server starts a server that counts its requests.
func server(t *testing.T, h http.HandlerFunc) (string, *atomic.Int32) {
	t.Helper()
	n := new(atomic.Int32)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { n.Add(1); h(w, r) }))
	t.Cleanup(s.Close)
	return s.URL, n
}

// Every range in which an address is not that of a host of the internet, and the forms of IPv6 that contain such an address.
func TestOnlyPublicAddressesAreCalled(t *testing.T) {
	t.Parallel()
	c := outbound.New(public, time.Second)
	for _, host := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.1.2.3", "169.254.169.254", "169.254.170.2", "172.16.0.1",
		"172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9",
		"224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
		"[::]", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b::808:808]", "[64:ff9b:1::1]", "[100::1]",
		"[2001::1]", "[2001:db8::1]", "[2002:7f00:1::]", "[2002:a00:1::1]", "[3fff::1]", "[fc00::1]", "[fd00:ec2::254]", "[fe80::1]", "[fec0::1]", "[ff02::1]",
	} {
		if _, err := get(t, c, "https://"+host+"/", 1); !errors.Is(err, outbound.ErrNotPublic) {
			t.Errorf("%s: got %v, want ErrNotPublic", host, err)
		}
	}
	for _, host := range []string{"8.8.8.8", "100.63.255.255", "172.32.0.1", "198.20.0.1", "[2606:4700::1111]", "[2a00:1450::1]", "[::ffff:8.8.8.8]"} {
		if err := c.CheckURL("https://" + host + "/"); err != nil {
			t.Errorf("%s: got %v, want a public address", host, err)
		}
	}
}

// The setting for one machine opens loopback and private networks, and no more: a machine in a cloud has its credentials at a
// link-local address.
func TestTheSettingForOneMachineLeavesMetadataClosed(t *testing.T) {
	t.Parallel()
	c := outbound.New(oneBox, time.Second)
	for _, host := range []string{"127.0.0.1", "10.1.1.1", "172.17.0.2", "192.168.1.1", "[::1]"} {
		if err := c.CheckURL("http://" + host + "/"); err != nil {
			t.Errorf("%s: got %v", host, err)
		}
	}
	for _, host := range []string{"169.254.169.254", "169.254.170.2", "[fd00:ec2::254]", "[fe80::1]", "100.64.0.1", "0.0.0.0", "[64:ff9b::a9fe:a9fe]", "[::ffff:169.254.169.254]"} {
		if err := c.CheckURL("http://" + host + "/"); !errors.Is(err, outbound.ErrNotPublic) {
			t.Errorf("%s: got %v, want ErrNotPublic", host, err)
		}
	}
}

func TestURLsThatAreNotCalled(t *testing.T) {
	t.Parallel()
	c := outbound.New(public, time.Second)
	for address, want := range map[string]error{
		"http://example.org/": outbound.ErrScheme, "ftp://example.org/": outbound.ErrScheme, "//example.org/": outbound.ErrScheme, "": outbound.ErrScheme,
		"https://ana:secret@example.org/": outbound.ErrUserInfo, "https://ana@example.org/": outbound.ErrUserInfo,
		"https:///path": outbound.ErrMalformed, "https:example.org": outbound.ErrMalformed, "https://example.org/#part": outbound.ErrMalformed,
		"https://example.org:0/": outbound.ErrMalformed, "https://example.org:70000/": outbound.ErrMalformed, "https://example.org:/": outbound.ErrMalformed,
		"https://exa mple.org/": outbound.ErrMalformed, "https://example.org/a\r\nb": outbound.ErrMalformed, "https://[::1": outbound.ErrMalformed,
		"https://example.org/" + strings.Repeat("a", outbound.MaxURL): outbound.ErrLong,
		"https://example.org:8443/hooks?key=1":                        nil, "https://example.org/" + strings.Repeat("a", outbound.MaxURL-20): nil,
	} {
		if err := c.CheckURL(address); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%.60q: got %v, want %v", address, err, want)
		}
	}
}

// Files may also come by http, from the ports of the web alone: other ports are those of other services.
func TestFilesComeFromThePortsOfTheWeb(t *testing.T) {
	t.Parallel()
	c := outbound.New(public, time.Second, outbound.ForFiles())
	for address, want := range map[string]error{
		"http://example.org/a.jpg": nil, "https://example.org/a.jpg": nil, "http://example.org:80/a": nil, "https://example.org:443/a": nil,
		"http://example.org:8080/": outbound.ErrPort, "https://example.org:22/": outbound.ErrPort, "http://example.org:080/": outbound.ErrPort,
		"ftp://example.org/": outbound.ErrScheme, "file:///etc/passwd": outbound.ErrScheme, "data:image/png;base64,AA": outbound.ErrScheme,
		"http://ana@example.org/": outbound.ErrUserInfo, "http://169.254.169.254/latest/meta-data/": outbound.ErrNotPublic, "http://[::ffff:10.0.0.1]/": outbound.ErrNotPublic,
	} {
		if err := c.CheckURL(address); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%q: got %v, want %v", address, err, want)
		}
	}
	if err := outbound.New(oneBox, time.Second, outbound.ForFiles()).CheckURL("http://127.0.0.1:9000/a"); err != nil {
		t.Errorf("on one machine: got %v", err)
	}
}

// A name may be public when it is checked and private when it is called. No connection is made.
func TestANameThatChangesItsAddressIsNotCalled(t *testing.T) {
	t.Parallel()
	address, requests := server(t, func(http.ResponseWriter, *http.Request) {})
	_, port, _ := strings.Cut(strings.TrimPrefix(address, "http://"), ":")
	c := outbound.New(public, 5*time.Second, outbound.WithResolver(resolver(t, "8.8.8.8", "127.0.0.1")))
	if err := c.CheckHost(t.Context(), "rebind.example.org"); err != nil {
		t.Fatalf("the first answer is public: %v", err)
	}
	if _, err := get(t, c, "https://rebind.example.org:"+port+"/", 1); !errors.Is(err, outbound.ErrNotPublic) || requests.Load() != 0 {
		t.Errorf("got %v and %d requests, want ErrNotPublic and none", err, requests.Load())
	}
	if err := c.CheckHost(t.Context(), "rebind.example.org"); !errors.Is(err, outbound.ErrNotPublic) {
		t.Errorf("the name is private now: got %v", err)
	}
}

func TestRedirectsAreAnswersAndProxiesAreNotUsed(t *testing.T) {
	target, followed := server(t, func(http.ResponseWriter, *http.Request) {})
	address, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, target, http.StatusTemporaryRedirect)
	})
	t.Setenv("HTTP_PROXY", target)
	t.Setenv("HTTPS_PROXY", target)
	answer, err := get(t, outbound.New(oneBox, 5*time.Second), address, 1000)
	if err != nil || answer.Status != http.StatusTemporaryRedirect || followed.Load() != 0 {
		t.Errorf("got %d, %v, followed %d times", answer.Status, err, followed.Load())
	}
}

func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	c := outbound.New(oneBox, 5*time.Second)
	address, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/headers" {
			w.Header().Set("X-Long", strings.Repeat("x", 100<<10))
		}
		_, _ = w.Write([]byte(strings.Repeat("x", 5000)))
	})
	if a, err := get(t, c, address, 5000); err != nil || !a.Whole || len(a.Body) != 5000 {
		t.Errorf("got %d bytes, whole %v, %v", len(a.Body), a.Whole, err)
	}
	if a, err := get(t, c, address, 4999); err != nil || a.Whole || len(a.Body) != 4999 {
		t.Errorf("got %d bytes, whole %v, %v, want the first 4999", len(a.Body), a.Whole, err)
	}
	if _, err := get(t, c, address+"/headers", 1); !errors.Is(err, outbound.ErrConnect) {
		t.Errorf("got %v, want an error for headers of 100 KB", err)
	}
}

// What an administrator reads of a fault names no address.
func TestFaultsHaveNames(t *testing.T) {
	t.Parallel()
	hanging, _ := server(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	plain, _ := server(t, func(http.ResponseWriter, *http.Request) {})
	unknown := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	unknown.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(unknown.Close)
	closed := httptest.NewServer(nil)
	closed.Close()
	for address, want := range map[string]error{
		hanging: outbound.ErrTimeout, unknown.URL: outbound.ErrTLS, closed.URL: outbound.ErrConnect,
		strings.Replace(plain, "http:", "https:", 1): outbound.ErrTLS, "https://nothing.example.org/": outbound.ErrLookup,
	} {
		limit := time.Minute
		if address == hanging {
			limit = 100 * time.Millisecond
		}
		c := outbound.New(oneBox, limit, outbound.WithResolver(resolver(t)))
		_, err := get(t, c, address, 1)
		if !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", address, err, want)
		}
		if u, _ := url.Parse(address); strings.Contains(err.Error(), u.Port()) && u.Port() != "" {
			t.Errorf("%s: the text names the address: %v", address, err)
		}
	}
}
