// Package nominatim stands in for the Nominatim geocoder. It knows the fourteen municipalities of Timor-Leste and answers
// in the format jsonv2. It enforces the usage policy of the public server: every client names itself in its User-Agent and
// sends at most one request a second.
//
// https://operations.osmfoundation.org/policies/nominatim/
package nominatim

import (
	_ "embed" // the table of municipalities
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/loopback"
)

//go:embed places.csv
var placesCSV string

// Options configures Start.
type Options struct {
	// Addr is where to listen; empty is a free loopback port.
	Addr   string
	Faults *faults.Set
	// Interval is the least time between two requests; 0 is one second, a negative value switches the limit off.
	Interval time.Duration
	// Now tells the time; nil is the system's clock.
	Now func() time.Time
}

// Server is a running geocoder.
type Server struct {
	opts   Options
	http   *loopback.Server
	places []place

	mu       sync.Mutex
	last     time.Time
	requests int
}

// place is a municipality. Degrees are WGS 84.
type place struct {
	code, name, seat               string
	lat, lon                       float64 // of its centre
	minLon, minLat, maxLon, maxLat float64
}

// Start serves until Close. The port answers when it returns.
func Start(opts Options) (*Server, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Interval == 0 {
		opts.Interval = time.Second
	}
	places, err := readPlaces()
	if err != nil {
		return nil, err
	}
	listener, err := loopback.Listen(opts.Addr)
	if err != nil {
		return nil, err
	}
	s := &Server{opts: opts, places: places}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /reverse", s.guard("Reverse", s.reverse))
	mux.HandleFunc("GET /search", s.guard("Search", s.search))
	s.http = loopback.Start(listener, mux)
	return s, nil
}

func readPlaces() ([]place, error) {
	rows, err := csv.NewReader(strings.NewReader(placesCSV)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("nominatim: %w", err)
	}
	places := make([]place, 0, len(rows)-1)
	for _, row := range rows[1:] {
		p := place{code: row[0], name: row[1], seat: row[2]}
		for i, field := range []*float64{&p.lat, &p.lon, &p.minLon, &p.minLat, &p.maxLon, &p.maxLat} {
			if *field, err = strconv.ParseFloat(row[3+i], 64); err != nil {
				return nil, fmt.Errorf("nominatim: %s: %w", p.code, err)
			}
		}
		places = append(places, p)
	}
	return places, nil
}

// URL is the endpoint, in place of "https://nominatim.openstreetmap.org".
func (s *Server) URL() string { return s.http.URL() }

// Requests is the number of requests so far, the refused ones included.
func (s *Server) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// Close stops serving.
func (s *Server) Close() error { return s.http.Close() }

// guard serves next unless the usage policy or a fault forbids it.
func (s *Server) guard(operation string, next http.HandlerFunc) http.HandlerFunc {
	replies := faults.Replies{
		Error: func(w http.ResponseWriter, _ *http.Request) {
			writeError(w, http.StatusInternalServerError, "Internal Server Error")
		},
		Throttle: func(w http.ResponseWriter, _ *http.Request) {
			writeError(w, http.StatusTooManyRequests, "Bandwidth limit exceeded")
		},
		Malformed: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
	}
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "local-stand-in")
		agent := r.UserAgent()
		tooSoon := s.tooSoon()
		if agent == "" || strings.HasPrefix(agent, "Go-http-client/") || strings.HasPrefix(agent, "curl/") {
			writeError(w, http.StatusForbidden, "Usage policy: identify your application by its User-Agent.")
			return
		}
		if tooSoon {
			writeError(w, http.StatusTooManyRequests, "Usage policy: at most one request a second.")
			return
		}
		if format := r.URL.Query().Get("format"); format != "jsonv2" {
			writeError(w, http.StatusBadRequest, "Parameter 'format' must be one of: jsonv2")
			return
		}
		s.opts.Faults.Serve(w, r, "nominatim", operation, replies, next)
	}
}

// tooSoon counts a request and reports whether it comes too soon after the last accepted one.
func (s *Server) tooSoon() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	now := s.opts.Now()
	if !s.last.IsZero() && now.Sub(s.last) < s.opts.Interval {
		return true
	}
	s.last = now
	return false
}

func writeError(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]any{"error": map[string]any{"code": status, "message": message}})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// degrees reads a coordinate between -limit and limit from the query.
func degrees(r *http.Request, name string, limit float64) (float64, error) {
	value, err := strconv.ParseFloat(r.URL.Query().Get(name), 64)
	if err != nil || math.IsNaN(value) || math.Abs(value) > limit {
		return 0, errors.New("Parameter '" + name + "' must be a number.")
	}
	return value, nil
}

func (s *Server) reverse(w http.ResponseWriter, r *http.Request) {
	lat, err := degrees(r, "lat", 90)
	lon, errLon := degrees(r, "lon", 180)
	if err = errors.Join(err, errLon); err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	p, ok := s.municipalityAt(lat, lon)
	if !ok {
		writeJSON(w, http.StatusOK, map[string]string{"error": "Unable to geocode"})
		return
	}
	writeJSON(w, http.StatusOK, p.answer(lat, lon, "highway", "road"))
}

// municipalityAt returns, of the municipalities whose bounding box contains the point, the one with the nearest centre.
func (s *Server) municipalityAt(lat, lon float64) (place, bool) {
	best, found, nearest := place{}, false, math.Inf(1)
	for _, p := range s.places {
		if lat < p.minLat || lat > p.maxLat || lon < p.minLon || lon > p.maxLon {
			continue
		}
		if d := math.Hypot(lat-p.lat, (lon-p.lon)*math.Cos(lat*math.Pi/180)); d < nearest {
			best, found, nearest = p, true, d
		}
	}
	return best, found
}

func (s *Server) search(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil || limit < 1 || limit > 40 {
		limit = 10
	}
	out := []map[string]any{}
	if countries := q.Get("countrycodes"); countries == "" || strings.Contains(countries, "tl") {
		words := strings.Fields(fold(strings.ReplaceAll(q.Get("q"), ",", " ")))
		for _, p := range s.places {
			if len(out) < limit && p.matches(words) {
				out = append(out, p.answer(p.lat, p.lon, "boundary", "administrative"))
			}
		}
	}
	writeJSON(w, http.StatusOK, out)
}

// matches reports whether every word occurs in the names of the place.
func (p place) matches(words []string) bool {
	all := fold(p.name + " " + p.seat + " Timor-Leste")
	for _, word := range words {
		if !strings.Contains(all, word) {
			return false
		}
	}
	return len(words) > 0
}

// fold drops case and the accents of the country's languages.
func fold(s string) string {
	return strings.NewReplacer("á", "a", "à", "a", "ã", "a", "â", "a", "é", "e", "ê", "e", "í", "i", "ó", "o", "ô", "o", "õ", "o", "ú", "u", "ç", "c", "ñ", "n").
		Replace(strings.ToLower(s))
}

// answer is a place of the format jsonv2. The name of the road is invented: its number depends on the coordinates, rounded
// to three decimals, so the same point always gets the same road.
func (p place) answer(lat, lon float64, category, kind string) map[string]any {
	number := 1 + int(math.Abs(math.Round(lat*1000)*31+math.Round(lon*1000)*17))%90
	address := map[string]string{
		"city": p.seat, "county": p.seat, "state": p.name, "ISO3166-2-lvl4": p.code, "country": "Timor-Leste", "country_code": "tl",
	}
	display, name := p.name+", Timor-Leste", p.name
	if category == "highway" {
		name = "Estrada Local " + strconv.Itoa(number)
		address["road"], address["village"] = name, p.seat
		display = strings.Join([]string{name, p.seat, p.name, "Timor-Leste"}, ", ")
	}
	decimal := func(v float64) string { return strconv.FormatFloat(v, 'f', 7, 64) }
	return map[string]any{
		"place_id": number, "licence": "local stand-in; centres computed from timorleste/settlements-cluster-maps, MIT", "osm_type": "way", "osm_id": 1000 + number,
		"lat": decimal(lat), "lon": decimal(lon), "category": category, "type": kind, "place_rank": 26, "importance": 0.05, "addresstype": kind,
		"name": name, "display_name": display, "address": address,
		"boundingbox": []string{decimal(p.minLat), decimal(p.maxLat), decimal(p.minLon), decimal(p.maxLon)},
	}
}
