package admission

import (
	"fmt"
	"strconv"
	"time"

	"github.com/valkey-io/valkey-go"
)

// gcraScript is Rate.take in the cache: atomic, one call a key. All times are whole
// microseconds; the caller brings the present one, so that every key of a
// request is judged at the same instant and tests own the clock.
//
// KEYS[1] the key; ARGV: now, interval, window, cost.
// Returns allowed (0 or 1), how far ahead of now the key is, and the time until
// the next request is allowed.
const gcraScript = `
local now, interval, window, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local tat = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local ahead = tat + interval * cost - now
if ahead > window then
  return {0, tat - now, ahead - window}
end
redis.call('SET', KEYS[1], string.format('%.0f', now + ahead), 'PX', math.max(1, math.ceil(ahead / 1000)))
return {1, ahead, 0}
`

// takeCommand is the call that spends cost of a key. It sends the script itself:
// some hundred bytes, and nothing to do after a restart of the cache.
func takeCommand(client valkey.Client, r Rate, key string, cost int, now time.Time) valkey.Completed {
	number := func(d time.Duration) string { return strconv.FormatInt(d.Microseconds(), 10) }
	return client.B().Eval().Script(gcraScript).Numkeys(1).Key(key).
		Arg(strconv.FormatInt(now.UnixMicro(), 10), number(r.interval()), number(r.window()), strconv.Itoa(cost)).Build()
}

// readBudget is the budget a takeCommand's reply tells.
func readBudget(r Rate, reply valkey.ValkeyResult) (Budget, error) {
	figures, err := reply.AsIntSlice()
	if err != nil {
		return Budget{}, err
	}
	if len(figures) != 3 {
		return Budget{}, fmt.Errorf("rate limit: %d figures in the reply", len(figures))
	}
	return r.budget(figures[0] == 1, time.Duration(figures[1])*time.Microsecond, time.Duration(figures[2])*time.Microsecond), nil
}
