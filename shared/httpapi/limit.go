package httpapi

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/problem"
)

// LimitClass names a budget of requests.
type LimitClass string

// The classes of the contract. Their figures are configuration of the limiter.
const (
	LimitGeneral LimitClass = ""       // per user when signed in, else per address
	LimitAuth    LimitClass = "auth"   // signing in and the like: per address and e-mail
	LimitCreate  LimitClass = "create" // new reports, per user
	LimitSync    LimitClass = "sync"   // reports of a batch, per user, counted by item
	LimitUpload  LimitClass = "upload" // pictures, per user
	LimitNone    LimitClass = "none"   // health
)

// Budget is how a caller stands with a limit.
type Budget struct {
	Allowed   bool
	Limit     int           // requests a window
	Remaining int           // of them left
	Reset     time.Duration // until the window is whole again
	Retry     time.Duration // until the next request is allowed, when refused
}

// Limiter counts requests. It never fails: without its store it decides from
// what the process itself has seen.
type Limiter interface {
	// Take spends cost of the budget that key has in class.
	Take(ctx context.Context, class LimitClass, key string, cost int) Budget
}

// limited spends one request of the caller's general budget and, where the
// operation has a class of its own, of that.
func (a *API) limited(o Operation, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if o.Limit == LimitNone {
			next.ServeHTTP(w, r)
			return
		}
		if !a.admit(w, r, LimitGeneral, "") {
			return
		}
		if o.Limit != LimitGeneral && o.LimitMember == "" && !a.admit(w, r, o.Limit, "") {
			return
		}
		next.ServeHTTP(w, r)
	})
}

// admit spends one request and answers 429 when there is none left. A signed-in
// caller spends their own budget, so a neighbour behind the same address does not pay for them.
func (a *API) admit(w http.ResponseWriter, r *http.Request, class LimitClass, suffix string) bool {
	if a.deps.Limiter == nil {
		return true
	}
	key := "address:" + ClientAddress(r) + suffix
	if c, ok := identity.FromContext(r.Context()); ok {
		key = "user:" + c.UserID.String() + suffix
	}
	b := a.deps.Limiter.Take(r.Context(), class, key, 1)
	h := w.Header()
	h.Set("RateLimit-Limit", strconv.Itoa(b.Limit))
	h.Set("RateLimit-Remaining", strconv.Itoa(b.Remaining))
	h.Set("RateLimit-Reset", seconds(b.Reset))
	if b.Allowed {
		return true
	}
	a.refuse(w, r, TooManyRequests(b.Retry))
	return false
}

// TooManyRequests is the 429 for a spent budget.
func TooManyRequests(retry time.Duration) *problem.Error {
	retry = max(retry, time.Second)
	return problem.New(problem.RateLimited, "rate_limited").Param("seconds", seconds(retry)).After(retry)
}

func seconds(d time.Duration) string { return strconv.Itoa(int((d + time.Second - 1) / time.Second)) }
