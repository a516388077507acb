package geocoding

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/lafaekstreet/backend/shared/database"
)

// Config configures Nominatim.
type Config struct {
	// URL of a Nominatim server. When empty, only boundaries are used.
	URL string `env:"NOMINATIM_URL"`
	// UserAgent names this system and a contact, as the usage policy of Nominatim demands.
	UserAgent string `env:"NOMINATIM_USER_AGENT" envDefault:"LafaekStreet/1.0 (https://www.lafaekstreet.com)"`
}

// Nominatim is a client of the OpenStreetMap geocoder (API version 1, jsonv2).
type Nominatim struct {
	config Config
	http   *http.Client
}

// NewNominatim returns a client, or nil when no URL is configured.
func NewNominatim(c Config) *Nominatim {
	if c.URL == "" {
		return nil
	}
	return &Nominatim{config: c, http: &http.Client{Timeout: 5 * time.Second}}
}

// country limits searches to Timor-Leste.
const country = "tl"

type place struct {
	Error       string  `json:"error"`
	DisplayName string  `json:"display_name"`
	Type        string  `json:"type"`
	Latitude    string  `json:"lat"`
	Longitude   string  `json:"lon"`
	Address     address `json:"address"`
}

// address has the names that OpenStreetMap uses for the levels of Timor-Leste: a municipality is a state there, an
// administrative post a county, a suco a suburb or village.
type address struct {
	Road         string `json:"road"`
	Suburb       string `json:"suburb"`
	Village      string `json:"village"`
	Quarter      string `json:"quarter"`
	CityDistrict string `json:"city_district"`
	County       string `json:"county"`
	State        string `json:"state"`
	Municipality string `json:"municipality"`
	City         string `json:"city"`
	Country      string `json:"country"`
	CountryCode  string `json:"country_code"`
}

// Reverse returns the address of a point (degrees WGS 84). When Nominatim knows none, the source is "none"; this is not an error.
func (n *Nominatim) Reverse(ctx context.Context, latitude, longitude float64) (Address, error) {
	var p place
	err := n.call(ctx, "/reverse", url.Values{
		"lat": {strconv.FormatFloat(latitude, 'f', 6, 64)}, "lon": {strconv.FormatFloat(longitude, 'f', 6, 64)},
		"zoom": {"18"}, "addressdetails": {"1"},
	}, &p)
	if err != nil {
		return Address{}, err
	}
	if p.Error != "" {
		return Address{Source: SourceNone}, nil
	}
	return Address{
		DisplayName: text(p.DisplayName), Street: text(p.Address.Road),
		Suco:         text(p.Address.Suburb, p.Address.Village, p.Address.Quarter),
		District:     text(p.Address.County, p.Address.CityDistrict),
		Municipality: text(p.Address.State, p.Address.Municipality, p.Address.City),
		Country:      text(p.Address.Country), Source: SourceNominatim,
	}, nil
}

// Found is a place that a search found.
type Found struct {
	_            struct{} `schema:"PlaceFound"`
	DisplayName  string   `json:"display_name"`
	Latitude     float64  `json:"latitude"`
	Longitude    float64  `json:"longitude"`
	Type         string   `json:"type" doc:"municipality, district, suco, locality, or the type that the geocoder gives" example:"municipality"`
	Municipality *string  `json:"municipality"`
}

// Search finds places of Timor-Leste by name.
func (n *Nominatim) Search(ctx context.Context, query string, limit int) ([]Found, error) {
	var places []place
	err := n.call(ctx, "/search", url.Values{
		"q": {query}, "limit": {strconv.Itoa(limit)}, "countrycodes": {country}, "addressdetails": {"1"},
	}, &places)
	if err != nil {
		return nil, err
	}
	out := make([]Found, 0, len(places))
	for _, p := range places[:min(len(places), limit)] {
		latitude, errLat := strconv.ParseFloat(p.Latitude, 64)
		longitude, errLon := strconv.ParseFloat(p.Longitude, 64)
		name := bounded(p.DisplayName)
		onEarth := math.Abs(latitude) <= 90 && math.Abs(longitude) <= 180 // NaN is neither
		if errLat != nil || errLon != nil || !onEarth || name == "" {
			continue
		}
		out = append(out, Found{DisplayName: name, Latitude: latitude, Longitude: longitude, Type: bounded(p.Type), Municipality: text(p.Address.State, p.Address.Municipality)})
	}
	return out, nil
}

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 1 << 20

func (n *Nominatim) call(ctx context.Context, path string, query url.Values, into any) error {
	query.Set("format", "jsonv2")
	query.Set("accept-language", "en")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(n.config.URL, "/")+path+"?"+query.Encode(), nil)
	if err != nil {
		return fmt.Errorf("ask the geocoder: %w", err)
	}
	req.Header.Set("User-Agent", n.config.UserAgent)
	res, err := n.http.Do(req)
	if err != nil {
		return fmt.Errorf("ask the geocoder: %w", withoutQuery(err))
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("ask the geocoder: status %d", res.StatusCode)
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(into); err != nil {
		return fmt.Errorf("ask the geocoder: malformed answer: %w", err)
	}
	return nil
}

// withoutQuery removes the request's URL from an error: it has the place of a citizen, which must not be logged.
func withoutQuery(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// text returns the first name that is not empty, cut by bounded; nil when all are empty.
func text(names ...string) *string {
	for _, n := range names {
		if n = bounded(n); n != "" {
			return &n
		}
	}
	return nil
}

// bounded cuts a name to the 200 characters that are stored.
func bounded(s string) string {
	s = strings.TrimSpace(database.Text(s))
	if runes := []rune(s); len(runes) > 200 {
		return string(runes[:200])
	}
	return s
}

// After breakAfter failures in a row Nominatim is not asked for breakFor.
const (
	breakAfter = 5
	breakFor   = 5 * time.Minute
)

// waitTurn takes the next turn to ask Nominatim and waits for it. There is one turn a second in the whole system, as the usage
// policy of Nominatim demands. It returns ErrNoTurn when the wait would be longer than maxWait, and another ErrNoAnswer when
// Nominatim is not asked because of failures.
func (r *Resolver) waitTurn(ctx context.Context, maxWait time.Duration) error {
	const query = `
		WITH taken AS (
			UPDATE geocoder_turn SET next_at = greatest(next_at, now()) + interval '1 second'
			 WHERE (open_until IS NULL OR open_until < now()) AND next_at <= now() + $1::interval
			RETURNING greatest(extract(epoch FROM next_at - interval '1 second' - now()), 0)::float8 AS wait)
		SELECT (SELECT wait FROM taken), coalesce(open_until >= now(), false) FROM geocoder_turn`
	var wait *float64 // seconds; nil for no turn
	var failing bool
	if err := r.db.QueryRow(ctx, query, maxWait).Scan(&wait, &failing); err != nil {
		return fmt.Errorf("take a turn at the geocoder: %w", err)
	}
	switch {
	case wait == nil && failing:
		return noAnswer(errors.New("not asked after several failures"))
	case wait == nil:
		return ErrNoTurn
	}
	select {
	case <-ctx.Done():
		return noAnswer(ctx.Err())
	case <-time.After(time.Duration(*wait * float64(time.Second))):
		return nil
	}
}

// recordOutcome counts failures in a row. After breakAfter of them Nominatim is not asked for breakFor; a success resets this.
func (r *Resolver) recordOutcome(ctx context.Context, failure error) error {
	query := `UPDATE geocoder_turn SET failures = 0, open_until = NULL WHERE failures > 0`
	args := []any{}
	if failure != nil {
		query = `UPDATE geocoder_turn SET failures = failures + 1,
			open_until = CASE WHEN failures + 1 >= $1 THEN now() + $2::interval END`
		args = []any{breakAfter, breakFor}
	}
	if _, err := r.db.Exec(ctx, query, args...); err != nil {
		return fmt.Errorf("record the outcome of the geocoder: %w", err)
	}
	return nil
}
