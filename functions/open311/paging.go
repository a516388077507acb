package open311

import (
	"context"
	"fmt"
	"net/url"
	"strconv"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/problem"
)

// maxItems is the most items of an answer, and their number where a client names none.
const maxItems = 1_000

// maxPage bounds the page: what comes after it is an empty list.
const maxPage = 100_000

// page reads page and page_size. Pages count from 1. beyond reports a page after maxPage.
func (c *Call) page() (q page.Query, beyond bool, err error) {
	q.Page, q.Size = 1, maxItems
	if text := c.text("page"); text != "" {
		n, ok := counted(text)
		if !ok {
			return q, false, problem.InvalidField("page", "expected a number from 1")
		}
		if beyond = n > maxPage; !beyond {
			q.Page = n
		}
	}
	if text := c.text("page_size"); text != "" {
		n, ok := counted(text)
		if !ok || n > maxItems {
			return q, false, problem.InvalidField("page_size", fmt.Sprintf("expected a number from 1 to %d", maxItems))
		}
		q.Size = n
	}
	return q, beyond, nil
}

// counted reads a number from 1. One that no int can hold is the largest int.
func counted(text string) (int, bool) {
	n, err := strconv.ParseUint(text, 10, 64)
	const most = 1 << 62
	if err != nil && n == 0 || n == 0 {
		return 0, false
	}
	return int(min(n, most)), true
}

// linksTo is the value of the header Link (RFC 8288): the pages before and after this one.
func (g *Group) linksTo(ctx context.Context, c *Call, q page.Query, more bool) string {
	at := func(n int) string {
		query := make(url.Values)
		for name, values := range c.query {
			query[name] = values
		}
		query.Set("page", strconv.Itoa(n))
		query.Set("page_size", strconv.Itoa(q.Size))
		return g.base(ctx).String() + c.path + "." + string(c.format) + "?" + query.Encode()
	}
	out := ""
	if more {
		out = "<" + at(q.Page+1) + `>; rel="next"`
	}
	if q.Page > 1 {
		if out != "" {
			out += ", "
		}
		out += "<" + at(q.Page-1) + `>; rel="prev"`
	}
	return out
}

// bounds are how long answers may be, in bytes before compression, and how many rows a file may have. Lambda limits an answer to 6 MB
// of JSON, in which a plain text needs one more byte for each quote, and a compressed one four bytes for three.
type bounds struct {
	plain  int // sent as it is
	packed int // sent with gzip
	rows   int // as in the open data of /public
}

func defaultBounds() bounds { return bounds{plain: 4 << 20, packed: 12 << 20, rows: 10_000} }

// mostBytes is how long an answer may be, before compression.
func (b bounds) mostBytes(c *Call) int {
	if httpapi.TakesGzip([]string{c.encodings}) {
		return b.packed
	}
	return b.plain
}

// fitted is the answer with a page of a list. One that is too large has fewer items, where the client did not choose their number;
// Link then leads to the rest. It fails where the client did.
func (g *Group) fitted(ctx context.Context, c *Call, q page.Query, d document, more bool) (*answer, error) {
	most := g.bounds.mostBytes(c)
	for {
		encoded := d.encode(c.format)
		if len(encoded) <= most {
			return &answer{document: d, link: g.linksTo(ctx, c, q, more), encoded: encoded}, nil
		}
		if c.text("page_size") != "" || c.text("page") != "" {
			return nil, problem.InvalidField("page_size", "the answer would be too large: send a smaller page_size, or Accept-Encoding: gzip")
		}
		all, _ := d.value.(list)
		q.Size, more = (len(all.values)+1)/2, true
		d.value = list{all.item, all.values[:q.Size]}
	}
}
