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
	VerifyPerMinute  int `env:"RATE_LIMIT_VERIFY_PER_MINUTE" envDefault:"30"`
	CreatePerHour    int `env:"RATE_LIMIT_CREATE_PER_HOUR" envDefault:"20"`
	// StaffPerHour takes the place of CreatePerHour and SyncPerHour for staff, where it is larger.
	StaffPerHour   int `env:"RATE_LIMIT_STAFF_PER_HOUR" envDefault:"200"`
	SyncPerHour    int `env:"RATE_LIMIT_SYNC_PER_HOUR" envDefault:"200"`
	UploadPerHour  int `env:"RATE_LIMIT_UPLOAD_PER_HOUR" envDefault:"60"`
	CommentPerHour int `env:"RATE_LIMIT_COMMENT_PER_HOUR" envDefault:"30"`
	FlagPerHour    int `env:"RATE_LIMIT_FLAG_PER_HOUR" envDefault:"60"`
	ImportPerHour  int `env:"RATE_LIMIT_IMPORT_PER_HOUR" envDefault:"60"`
	ContactPerHour int `env:"RATE_LIMIT_CONTACT_PER_HOUR" envDefault:"60"`
	// KeyReportsPerDay and KeyUpdatesPerDay are for each API key of another system.
	KeyReportsPerDay int `env:"RATE_LIMIT_KEY_REPORTS_PER_DAY" envDefault:"2000"`
	KeyUpdatesPerDay int `env:"RATE_LIMIT_KEY_UPDATES_PER_DAY" envDefault:"2000"`
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

// Of is the rate of the budget that s spends. The prefix of its key says whether it is that of a person or of an address.
func (r *Rates) Of(ctx context.Context, s Spend) Rate {
	switch s.Class {
	case LimitAuth:
		return perMinute(r.config.AuthPerMinute, 0)
	case LimitView:
		return perMinute(r.config.ViewPerMinute, 0)
	case LimitVerify:
		return perMinute(r.config.VerifyPerMinute, 0)
	case LimitComment:
		return perHour(r.config.CommentPerHour)
	case LimitFlag:
		return perHour(r.config.FlagPerHour)
	case LimitImport:
		return perHour(r.config.ImportPerHour)
	case LimitContact:
		return perHour(r.config.ContactPerHour)
	case LimitKey:
		return perMinute(s.PerMinute, 0)
	case LimitKeyReports:
		return perDay(r.config.KeyReportsPerDay)
	case LimitKeyUpdates:
		return perDay(r.config.KeyUpdatesPerDay)
	case LimitCreate, LimitSync, LimitUpload:
		return r.set(ctx, s)
	}
	if strings.HasPrefix(s.Key, UserKey) {
		return perMinute(r.config.UserPerMinute, r.config.UserBurst)
	}
	return perMinute(r.config.AddressPerMinute, 0)
}

// set is the rate of a class that an administrator can set.
func (r *Rates) set(ctx context.Context, s Spend) Rate {
	set := settings.Default()
	if r.settings != nil {
		if now, err := r.settings.Current(ctx); err == nil { // when they cannot be read, the deployment's figures apply
			set = now
		}
	}
	byDefault := settings.Default()
	if s.Class == LimitUpload {
		return perHour(chosen(set.UploadsPerHour, byDefault.UploadsPerHour, r.config.UploadPerHour))
	}
	limit := chosen(set.ReportsPerHour, byDefault.ReportsPerHour, r.config.CreatePerHour)
	if s.Class == LimitSync {
		limit = chosen(set.BatchReportsPerHour, byDefault.BatchReportsPerHour, r.config.SyncPerHour)
	}
	if s.Staff {
		limit = max(limit, r.config.StaffPerHour)
	}
	return perHour(limit)
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

func perDay(limit int) Rate {
	limit = max(limit, 1)
	return Rate{Limit: limit, Period: 24 * time.Hour, Burst: limit}
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

// charge is the time that cost requests take to be allowed again.
func (r Rate) charge(cost float64) time.Duration { return time.Duration(cost * float64(r.interval())) }

// take spends cost at now of a key whose theoretical arrival time is tat. It
// returns the new one, which is tat where the request is refused.
func (r Rate) take(tat, now time.Time, cost float64) (time.Time, Budget) {
	if tat.Before(now) {
		tat = now
	}
	next := tat.Add(r.charge(cost))
	allowed := next.Sub(now) <= r.window()
	retry := time.Duration(0)
	if allowed {
		tat = next
	} else {
		retry = next.Sub(now) - r.window()
	}
	return tat, r.budget(allowed, tat.Sub(now), retry)
}

// budget describes a key whose theoretical arrival time is ahead of now by so much.
func (r Rate) budget(allowed bool, ahead, retry time.Duration) Budget {
	ahead = max(ahead, 0)
	return Budget{Allowed: allowed, Limit: r.Limit, Remaining: max(0, int((r.window()-ahead)/r.interval())), Reset: ahead, Retry: retry}
}

// LimitClass names a budget of requests.
type LimitClass string

// The classes of the contract. Their figures are configuration of the limiter.
const (
	LimitGeneral LimitClass = ""        // per user when signed in, else per address
	LimitAuth    LimitClass = "auth"    // signing in and the like: per address and e-mail
	LimitCreate  LimitClass = "create"  // new reports, per user
	LimitSync    LimitClass = "sync"    // reports of a batch, per user, counted by item
	LimitUpload  LimitClass = "upload"  // pictures, per user
	LimitComment LimitClass = "comment" // comments, per user
	LimitFlag    LimitClass = "flag"    // confirmations and flags together, per user
	LimitImport  LimitClass = "import"  // files of journeys, per user
	LimitContact LimitClass = "contact" // contacts of reporters that staff read, per user
	LimitKey     LimitClass = "key"     // requests that write, per API key: Spend.PerMinute
	// LimitKeyReports is for new reports, per API key.
	LimitKeyReports LimitClass = "key_reports"
	// LimitKeyUpdates is for new comments, per API key.
	LimitKeyUpdates LimitClass = "key_updates"
	// LimitView is for public pages, tiles and lists, per address. It takes the place of the general budget and is larger:
	// one view of the map is a dozen requests, and a mobile carrier may give one address to a whole suburb.
	LimitView LimitClass = "view"
	// LimitVerify is for checking a report against the ledger, per user when signed in, else per address. It takes the place
	// of the general budget and of LimitView: one check asks the mirror node for every message of the report.
	LimitVerify LimitClass = "verify"
	LimitNone   LimitClass = "none" // not limited: health
)

// Work reports that the class counts what was made, such as reports. A request that makes nothing gets its cost back.
func (c LimitClass) Work() bool {
	switch c {
	case LimitCreate, LimitSync, LimitUpload, LimitComment, LimitFlag, LimitImport, LimitContact, LimitKeyReports, LimitKeyUpdates:
		return true
	default:
		return false
	}
}

// shared reports that all instances count the class together also without a cache.
func (c LimitClass) shared() bool { return c == LimitAuth || c == LimitKey || c.Work() }

// Budget says what is left of a caller's limit.
type Budget struct {
	Allowed   bool
	Limit     int           // requests per window
	Remaining int           // whole requests left in the window
	Reset     time.Duration // time until all requests of the window are available again
	Retry     time.Duration // time until the next request is allowed; 0 unless refused
}

// Spend is what a request costs in one class.
type Spend struct {
	Class LimitClass
	Key   string
	Cost  float64 // requests
	Staff bool    // the caller is staff, who create more reports
	// PerMinute is the rate of LimitKey.
	PerMinute int
}

// Prefixes of keys: they say whether a budget belongs to a person, to an address or to an API key.
const (
	UserKey    = "user:"
	AddressKey = "address:"
	SystemKey  = "key:"
)
