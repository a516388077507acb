// Package page has the parameters and the answer of lists in numbered pages.
package page

// MaxSize is the largest number of items on a page. The tag of Query.Size repeats it.
const MaxSize = 100

// Query has the parameters of a page. Embed it in the input struct of a list.
type Query struct {
	Page int `query:"page" minimum:"1" maximum:"100000" default:"1" doc:"Page number, from 1"`
	Size int `query:"page_size" minimum:"1" maximum:"100" default:"20" doc:"Items on a page (aliases: per_page, limit)"`
}

// Aliases returns other names of the parameters, for Operation.Aliases.
func Aliases() map[string]string {
	return map[string]string{"per_page": "page_size", "limit": "page_size", "size": "page_size"}
}

// Limit returns how many items to read.
func (q Query) Limit() int { return q.Size }

// Offset returns how many items come before the page.
func (q Query) Offset() int { return (q.Page - 1) * q.Size }

// Envelope is the answer with one page of a list.
type Envelope[T any] struct {
	Items      []T  `json:"items"`
	Total      int  `json:"total" doc:"Items on all pages"`
	Page       int  `json:"page"`
	PageSize   int  `json:"page_size"`
	TotalPages int  `json:"total_pages"`
	HasNext    bool `json:"has_next"`
}

// NewEnvelope returns a page. Nil items become an empty list. Total is the number of items on all pages.
func NewEnvelope[T any](q Query, items []T, total int) Envelope[T] {
	if items == nil {
		items = []T{}
	}
	pages := (total + q.Size - 1) / q.Size
	return Envelope[T]{Items: items, Total: total, Page: q.Page, PageSize: q.Size, TotalPages: pages, HasNext: q.Page < pages}
}
