package open311

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/problem"
)

// maxItems is the most items of an answer, and their number where a client names none.
const maxItems = 1_000

// page reads page and page_size. Pages count from 1. It reports true for a page with more than most items before it; then the result asks for
// the first item after these, which says whether there is such a page.
func (c *Call) page(most int) (page.Query, bool, error) {
	q := page.Query{Page: 1, Size: maxItems}
	if text := c.text("page_size"); text != "" {
		n, ok := counted(text)
		if !ok || n > maxItems {
			return q, false, problem.InvalidField("page_size", fmt.Sprintf("expected a number from 1 to %d", maxItems))
		}
		q.Size = n
	}
	if text := c.text("page"); text != "" {
		n, ok := counted(text)
		if !ok {
			return q, false, problem.InvalidField("page", "expected a number from 1")
		}
		if n-1 > most/q.Size && c.text("cursor") == "" {
			return page.Query{Page: most + 1, Size: 1}, true, nil
		}
		q.Page = n
	}
	return q, false, nil
}

// afterLast is the answer with a page beyond the bound: an empty list, if there is nothing. It fails if there is.
func afterLast(d document, there bool) (*answer, error) {
	if there {
		return nil, problem.InvalidField("page", "too many items before it: follow the header Link, or name a shorter span of dates")
	}
	return &answer{document: d}, nil
}

// counted reads a number from 1. One that no int can hold is the largest int.
func counted(text string) (int, bool) {
	n, _ := strconv.ParseUint(text, 10, 64) // 0 for what is no number, the largest number for a longer one
	const most = 1 << 62
	return int(min(n, most)), n > 0
}

// linksTo is the value of the header Link (RFC 8288): the pages before and after this one. There is one after it if more is true; then
// cursor, unless it is "", finds it at once.
func (g *Group) linksTo(ctx context.Context, c *Call, q page.Query, more bool, cursor string) string {
	at := func(n int, cursor, relation string) string {
		query := maps.Clone(c.query)
		query.Set("page", strconv.Itoa(n))
		query.Set("page_size", strconv.Itoa(q.Size))
		if query.Del("cursor"); cursor != "" {
			query.Set("cursor", cursor)
		}
		return "<" + g.base(ctx).String() + c.path + "." + string(c.format) + "?" + query.Encode() + `>; rel="` + relation + `"`
	}
	var out []string
	if more {
		out = append(out, at(q.Page+1, cursor, "next"))
	}
	if q.Page > 1 {
		out = append(out, at(q.Page-1, "", "prev"))
	}
	return strings.Join(out, ", ")
}

// bounds are how long answers may be, in bytes before compression, and how many reports. Lambda limits an answer to 6 MB of JSON, in
// which a plain text needs one more byte for each quote, and a compressed one four bytes for three.
type bounds struct {
	plain  int // bytes of an answer that is sent as it is
	packed int // bytes of an answer that is sent with gzip
	rows   int // of a file, as in the open data of /public
	// before is how many items may come before a page that a client names by its number. Each of them costs the database a little. Link
	// leads on with a cursor, which costs the same at any depth.
	before int
}

func defaultBounds() bounds {
	return bounds{plain: 4 << 20, packed: 12 << 20, rows: 10_000, before: 100_000}
}

// mostBytes is how long an answer may be, before compression.
func (b bounds) mostBytes(c *Call) int {
	if httpapi.TakesGzip([]string{c.encodings}) {
		return b.packed
	}
	return b.plain
}

// fitted is the answer with a page of a list. One that is too large has fewer items, where the client did not choose their number;
// Link then leads to the rest. It fails where the client did.
func (g *Group) fitted(ctx context.Context, c *Call, q page.Query, d document, more bool, cursor string) (*answer, error) {
	most := g.bounds.mostBytes(c)
	for {
		encoded := d.encode(c.format)
		if len(encoded) <= most {
			return &answer{document: d, link: g.linksTo(ctx, c, q, more, cursor), encoded: encoded}, nil
		}
		if c.text("page_size") != "" || c.text("page") != "" {
			return nil, problem.InvalidField("page_size", "the answer would be too large: send a smaller page_size, or Accept-Encoding: gzip")
		}
		all, _ := d.value.(list)
		q.Size, more, cursor = (len(all.values)+1)/2, true, ""
		d.value = list{all.item, all.values[:q.Size]}
	}
}
