package admission

import (
	"context"
	"strings"
	"time"

	"github.com/lafaekstreet/backend/shared/settings"
)

// LimitConfig holds the rates of the contract. The settings of an administrator for
// reports and uploads replace those here.
type LimitConfig struct {
	UserPerMinute    int `env:"RATE_LIMIT_USER_PER_MINUTE" envDefault:"600"`
	UserBurst        int `env:"RATE_LIMIT_USER_BURST" envDefault:"200"`
	AddressPerMinute int `env:"RATE_LIMIT_ADDRESS_PER_MINUTE" envDefault:"60"`
	ViewPerMinute    int `env:"RATE_LIMIT_VIEW_PER_MINUTE" envDefault:"600"`
	AuthPerMinute    int `env:"RATE_LIMIT_AUTH_PER_MINUTE" envDefault:"10"`
	CreatePerHour    int `env:"RATE_LIMIT_CREATE_PER_HOUR" envDefault:"20"`
	SyncPerHour      int `env:"RATE_LIMIT_SYNC_PER_HOUR" envDefault:"200"`
	UploadPerHour    int `env:"RATE_LIMIT_UPLOAD_PER_HOUR" envDefault:"60"`
}

// LimitSettings are what an administrator has set.
type LimitSettings interface {
	Current(ctx context.Context) (settings.Settings, error)
}

// Rates knows the rate of each class.
type Rates struct {
	config   LimitConfig
	settings LimitSettings
}

// NewRates reads figures from c and, for reports and uploads, from s (nil for none).
func NewRates(c LimitConfig, s LimitSettings) *Rates { return &Rates{config: c, settings: s} }

// Of is the rate of a class for a key. The prefix of the key says whether it is that of
// a person or of an address.
func (r *Rates) Of(ctx context.Context, class LimitClass, key string) Rate {
	switch class {
	case LimitAuth:
		return perMinute(r.config.AuthPerMinute, 0)
	case LimitView:
		return perMinute(r.config.ViewPerMinute, 0)
	case LimitCreate, LimitSync, LimitUpload:
		return r.set(ctx, class)
	}
	if strings.HasPrefix(key, UserKey) {
		return perMinute(r.config.UserPerMinute, r.config.UserBurst)
	}
	return perMinute(r.config.AddressPerMinute, 0)
}

func (r *Rates) set(ctx context.Context, class LimitClass) Rate {
	set := settings.Default()
	if r.settings != nil {
		if s, err := r.settings.Current(ctx); err == nil { // when they cannot be read, the deployment's figures apply
			set = s
		}
	}
	byDefault := settings.Default()
	switch class {
	case LimitSync:
		return perHour(chosen(set.BatchReportsPerHour, byDefault.BatchReportsPerHour, r.config.SyncPerHour))
	case LimitUpload:
		return perHour(chosen(set.UploadsPerHour, byDefault.UploadsPerHour, r.config.UploadPerHour))
	}
	return perHour(chosen(set.ReportsPerHour, byDefault.ReportsPerHour, r.config.CreatePerHour))
}

// chosen is what an administrator set where that differs from the default, else the deployment's figure.
func chosen(set, byDefault, deployed int) int {
	if set != byDefault {
		return set
	}
	return deployed
}

func perMinute(limit, burst int) Rate {
	limit = max(limit, 1)
	if burst <= 0 {
		burst = limit
	}
	return Rate{Limit: limit, Period: time.Minute, Burst: burst}
}

func perHour(limit int) Rate {
	limit = max(limit, 1)
	return Rate{Limit: limit, Period: time.Hour, Burst: limit}
}

// Rate allows Limit requests in each Period. Burst of them may come at once.
type Rate struct {
	Limit  int
	Period time.Duration
	Burst  int
}

// interval is the time one request takes to be allowed again.
func (r Rate) interval() time.Duration { return r.Period / time.Duration(r.Limit) }

// window is how far after now the theoretical arrival time of a key may be.
func (r Rate) window() time.Duration { return r.interval() * time.Duration(r.Burst) }

// take spends cost at now of a key whose theoretical arrival time is tat. It
// returns the new one, which is tat where the request is refused.
func (r Rate) take(tat, now time.Time, cost int) (time.Time, Budget) {
	if tat.Before(now) {
		tat = now
	}
	next := tat.Add(r.interval() * time.Duration(cost))
	allowed := next.Sub(now) <= r.window()
	retry := time.Duration(0)
	if allowed {
		tat = next
	} else {
		retry = next.Sub(now) - r.window()
	}
	return tat, r.budget(allowed, tat.Sub(now), retry)
}

func (r Rate) budget(allowed bool, ahead, retry time.Duration) Budget {
	return Budget{Allowed: allowed, Limit: r.Limit, Remaining: int((r.window() - ahead) / r.interval()), Reset: ahead, Retry: retry}
}

// LimitClass names a budget of requests.
type LimitClass string

// The classes of the contract. Their figures are configuration of the limiter.
const (
	LimitGeneral LimitClass = ""       // per user when signed in, else per address
	LimitAuth    LimitClass = "auth"   // signing in and the like: per address and e-mail
	LimitCreate  LimitClass = "create" // new reports, per user
	LimitSync    LimitClass = "sync"   // reports of a batch, per user, counted by item
	LimitUpload  LimitClass = "upload" // pictures, per user
	// LimitView is for public pages, tiles and lists, per address. It takes the place of the general budget and is larger:
	// one view of the map is a dozen requests, and a mobile carrier may give one address to a whole suburb.
	LimitView LimitClass = "view"
	LimitNone LimitClass = "none" // not limited: health
)

// Budget says what is left of a caller's limit.
type Budget struct {
	Allowed   bool
	Limit     int           // requests per window
	Remaining int           // requests left in the window
	Reset     time.Duration // time until all requests of the window are available again
	Retry     time.Duration // time until the next request is allowed; 0 unless refused
}

// Spend is what a request costs in one class.
type Spend struct {
	Class LimitClass
	Key   string
	Cost  int
}

// Prefixes of keys: they say whether a budget belongs to a person or to an address.
const (
	UserKey    = "user:"
	AddressKey = "address:"
)
