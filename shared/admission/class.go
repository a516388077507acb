package admission

import "time"

// LimitClass names a budget of requests.
type LimitClass string

// The classes of the contract. Their figures are configuration of the limiter.
const (
	LimitGeneral LimitClass = ""       // per user when signed in, else per address
	LimitAuth    LimitClass = "auth"   // signing in and the like: per address and e-mail
	LimitCreate  LimitClass = "create" // new reports, per user
	LimitSync    LimitClass = "sync"   // reports of a batch, per user, counted by item
	LimitUpload  LimitClass = "upload" // pictures, per user
	LimitView    LimitClass = "view"   // the public's pages, tiles and lists, instead of the general budget: one map view is a dozen requests, and a carrier may put a whole suburb behind one address
	LimitNone    LimitClass = "none"   // health
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
