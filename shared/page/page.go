// Package page cuts lists into numbered pages.
package page

// Sizes of the contract.
const (
	DefaultSize = 20
	MaxSize     = 100
)

// Query is the paging part of a list's parameters. Embed it in an input struct.
type Query struct {
	Page int `query:"page" minimum:"1" maximum:"100000" default:"1" doc:"Page number, from 1"`
	Size int `query:"page_size" minimum:"1" maximum:"100" default:"20" doc:"Items a page (aliases: per_page, limit)"`
}

// Aliases of the parameters, for an operation's Aliases.
func Aliases() map[string]string {
	return map[string]string{"per_page": "page_size", "limit": "page_size", "size": "page_size"}
}

// Limit is how many items to read.
func (q Query) Limit() int { return q.Size }

// Offset is how many items come before the page.
func (q Query) Offset() int { return (q.Page - 1) * q.Size }

// Envelope is a page of a list.
type Envelope[T any] struct {
	Items      []T  `json:"items"`
	Total      int  `json:"total" doc:"Items on all pages"`
	Page       int  `json:"page"`
	PageSize   int  `json:"page_size"`
	TotalPages int  `json:"total_pages"`
	HasNext    bool `json:"has_next"`
}

// NewEnvelope wraps the items of one page; nil items become an empty list.
func NewEnvelope[T any](q Query, items []T, total int) Envelope[T] {
	if items == nil {
		items = []T{}
	}
	pages := (total + q.Size - 1) / q.Size
	return Envelope[T]{Items: items, Total: total, Page: q.Page, PageSize: q.Size, TotalPages: pages, HasNext: q.Page < pages}
}
