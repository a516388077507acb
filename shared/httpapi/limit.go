package httpapi

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/problem"
)

// Admission looks a session up and spends budgets in one step.
type Admission interface {
	// Admit returns the session, and a budget for each spend. With a zero id it looks
	// up no session. Its error is always about the session (identity.ErrNoSession);
	// the budgets are valid even then.
	Admit(ctx context.Context, session uuid.UUID, spends []admission.Spend) (identity.Session, []admission.Budget, error)
	// Return gives back what was spent, and returns what is left.
	Return(ctx context.Context, spends []admission.Spend) []admission.Budget
}

// spends lists what a request of o spends: one request of the general budget of
// key and, where o has a class of its own, one of that class.
func spends(o Operation, key string, staff bool) []admission.Spend {
	switch o.Limit {
	case admission.LimitNone:
		return nil
	case admission.LimitView, admission.LimitVerify:
		return []admission.Spend{{Class: o.Limit, Key: key, Cost: 1}}
	}
	out := []admission.Spend{{Class: admission.LimitGeneral, Key: key, Cost: 1}}
	if o.Limit != admission.LimitGeneral && o.LimitMember == "" {
		out = append(out, admission.Spend{Class: o.Limit, Key: key, Cost: 1, Staff: staff})
	}
	return out
}

// limited spends the budgets of a request without a caller. For a request with a
// caller, the look-up of the session has spent them already.
func (a *API) limited(o Operation, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, spent := identity.FromContext(r.Context()); spent {
			next.ServeHTTP(w, r)
			return
		}
		all := spends(o, limitKey(r), false)
		if budgets, ok := a.admit(w, r, all); ok {
			a.settled(w, r, o, all, budgets, next)
		}
	})
}

// limitKey returns the owner of the budget that a request spends: the caller, or
// the network address when nobody is signed in. An address has two budgets, one for reading and one for all other requests:
// a carrier may give one address to a whole suburb, and somebody there who reads too much must not keep the others from
// signing in.
func limitKey(r *http.Request) string {
	if c, ok := identity.FromContext(r.Context()); ok {
		return admission.UserKey + c.UserID.String()
	}
	key := admission.AddressKey + hashed(network(ClientAddress(r)))
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		key += ":write"
	}
	return key
}

// network returns the addresses that one client can use: one IPv4 address, or a /64 of IPv6.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if ip = ip.Unmap().WithZone(""); ip.Is4() {
		return ip.String()
	}
	return netip.PrefixFrom(ip, 64).Masked().String()
}

// admit spends budgets, answers 429 when one of them is empty, and reports whether the request may go on.
func (a *API) admit(w http.ResponseWriter, r *http.Request, all []admission.Spend) ([]admission.Budget, bool) {
	if len(all) == 0 || a.deps.Admission == nil {
		return nil, true
	}
	_, budgets, err := a.deps.Admission.Admit(r.Context(), uuid.Nil, all)
	if err != nil {
		a.refuse(w, r, err)
		return nil, false
	}
	return budgets, a.within(w, r, all, budgets)
}

// within sets the RateLimit headers and answers 429 when a budget refused the request. The other budgets then get back
// what the request spent of them, if they count work.
func (a *API) within(w http.ResponseWriter, r *http.Request, all []admission.Spend, budgets []admission.Budget) bool {
	if len(budgets) == 0 {
		return true
	}
	tightest := showBudgets(w.Header(), budgets)
	if tightest.Allowed {
		return true
	}
	var taken []admission.Spend
	for i, b := range budgets {
		if b.Allowed {
			taken = append(taken, all[i])
		}
	}
	a.giveBack(r, taken)
	a.refuse(w, r, TooManyRequests(tightest.Retry))
	return false
}

// showBudgets sets the RateLimit headers from the budget with the fewest requests left, and returns that budget.
func showBudgets(h http.Header, budgets []admission.Budget) admission.Budget {
	tightest := slices.MinFunc(budgets, func(a, b admission.Budget) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Remaining, b.Remaining))
	})
	h.Set("RateLimit-Limit", strconv.Itoa(tightest.Limit))
	h.Set("RateLimit-Remaining", strconv.Itoa(tightest.Remaining))
	h.Set("RateLimit-Reset", seconds(tightest.Reset))
	return tightest
}

// rank puts refusals first.
func rank(b admission.Budget) int {
	if b.Allowed {
		return 1
	}
	return 0
}

// TooManyRequests is the 429 for a spent budget.
func TooManyRequests(retry time.Duration) *problem.Error {
	retry = max(retry, time.Second)
	return problem.New(problem.RateLimited, "rate_limited").Param("seconds", seconds(retry)).After(retry)
}

func seconds(d time.Duration) string { return strconv.Itoa(int((d + time.Second - 1) / time.Second)) }

// admitMember spends one request of the operation's class for the caller and the
// value of a body member together. It answers 429 and reports false when none is left.
func (a *API) admitMember(w http.ResponseWriter, r *http.Request, o Operation, value any) bool {
	key := limitKey(r) + "|" + memberHash(value, o.LimitMember)
	_, ok := a.admit(w, r, []admission.Spend{{Class: o.Limit, Key: key, Cost: 1}})
	return ok
}

// memberHash returns a hash of a member's value for keys, because the value may be personal.
// All values that are not text count as one.
func memberHash(value any, member string) string {
	object, _ := value.(map[string]any)
	text, _ := object[member].(string)
	return hashed(strings.ToLower(strings.TrimSpace(text)))
}

// hashed returns a hash for keys of what may be personal, such as network and e-mail addresses.
func hashed(value string) string {
	sum := sha256.Sum256([]byte("lafaekstreet limit " + value))
	return hex.EncodeToString(sum[:12])
}
