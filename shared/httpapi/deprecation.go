package httpapi

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// deprecationMonths is for how many months a deprecated operation works at least.
const deprecationMonths = 12

// Deprecation says that an operation will go, and what to use instead. The rule for clients is in the guide "changelog".
type Deprecation struct {
	Since  time.Time // when it was announced
	Months int       // from Since until the operation may go; fewer than 12 count as 12
	Link   string    // address of the text that says what to use instead, such as /docs/guides/changelog#v1-3-0
}

// sunset is when the operation may go.
func (d *Deprecation) sunset() time.Time {
	return d.Since.UTC().AddDate(0, max(d.Months, deprecationMonths), 0)
}

// describe is the sentence about it in the document.
func (d *Deprecation) describe() string {
	return fmt.Sprintf("Deprecated since %s. It works at least until %s. What to use instead: %s",
		d.Since.UTC().Format(time.DateOnly), d.sunset().Format(time.DateOnly), d.Link)
}

// announced sets the headers of RFC 9745 and RFC 8594 in every answer to a deprecated operation.
func announced(d *Deprecation, next http.Handler) http.Handler {
	if d == nil {
		return next
	}
	since, sunset := "@"+strconv.FormatInt(d.Since.Unix(), 10), d.sunset().Format(http.TimeFormat)
	link := "<" + d.Link + `>; rel="deprecation"; type="text/html"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Deprecation", since)
		w.Header().Set("Sunset", sunset)
		w.Header().Add("Link", link)
		next.ServeHTTP(w, r)
	})
}
