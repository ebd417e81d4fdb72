package api

import (
	"context"
	"fmt"
	"math"
	"strings"

	"nepenthes/shared/fault"
	"nepenthes/shared/webhook"
)

// Paging asks for a page of a small set. The zero Paging asks for the first page of the usual size.
type Paging struct {
	// Most is the largest number of items to return. It ignores the maximum page size of the settings. 0 means that PageSize
	// counts. Most is for callers that need a whole list at once, such as the console.
	Most int
	// PageSize is the number of items to return. -1 asks for the largest page, and nil for 20 items.
	PageSize *int
	// Offset is the number of the page. 1 and nil ask for the first page.
	Offset *int
}

// All is the value of Paging.Most that asks for all items.
const All = math.MaxInt32

// defaultPageSize is the page size of a caller that does not ask for one.
const defaultPageSize = 20

// effective returns the page size that is used: the size that was asked for, but not more than the settings allow.
func (c *Common) effective(ctx context.Context, asked *int, most int) (int, error) {
	if most > 0 {
		return most, nil
	}
	if asked != nil && *asked < -1 {
		return 0, fault.BadParameter("pageSize", "It is less than -1.", "Ask for 0 or more, or for -1, which means as many as possible.")
	}
	s, err := c.Settings.Settings(ctx)
	if err != nil {
		return 0, err
	}
	switch {
	case asked == nil:
		return min(defaultPageSize, s.MaxPageSize), nil
	case *asked == -1:
		return s.MaxPageSize, nil
	}
	return min(*asked, s.MaxPageSize), nil
}

// page is a page of a small set. Its numbers are checked.
type page struct{ size, offset int }

// page checks the numbers of a page. A page after the last one is empty, not a fault: the set may have shrunk since the
// client read its first page.
func (c *Common) page(ctx context.Context, p Paging) (page, error) {
	if p.Offset != nil && *p.Offset < 1 {
		return page{}, fault.BadParameter("offset", "It is less than 1.", "The first page has number 1.")
	}
	size, err := c.effective(ctx, p.PageSize, p.Most)
	if err != nil {
		return page{}, err
	}
	offset := 1
	if p.Offset != nil {
		offset = *p.Offset
	}
	return page{size, offset}, nil
}

// bounds returns the bounds of the page in a set of total items: all[from:to] are the items of the page.
func (p page) bounds(total int) (from, to int) {
	// A product could overflow: offset may be any number.
	if p.size == 0 || p.offset-1 > total/p.size {
		return total, total
	}
	from = min((p.offset-1)*p.size, total)
	return from, min(from+p.size, total)
}

// Page is a page of a small set.
type Page[T any] struct {
	Items []T
	// Total is the number of items on all pages.
	Total int
	// Size is the page size that was used. Number is the number of this page. The first page has number 1.
	Size, Number int
}

// HasNext reports whether a page follows.
func (p *Page[T]) HasNext() bool {
	_, to := page{p.Size, p.Number}.bounds(p.Total)
	return p.Size > 0 && to < p.Total
}

// pageOf returns the page of a set that is in memory.
func pageOf[T any](p page, all []T) *Page[T] {
	return pageThrough(p, all, func(item T) T { return item })
}

// pageThrough returns the page of a set that is in memory, with each of its items passed through view.
func pageThrough[N, T any](p page, all []N, view func(N) T) *Page[T] {
	from, to := p.bounds(len(all))
	items := make([]T, 0, to-from)
	for _, item := range all[from:to] {
		items = append(items, view(item))
	}
	return &Page[T]{Items: items, Total: len(all), Size: p.size, Number: p.offset}
}

// namedMost is the largest size of a text to look for in names, in bytes. Every name is shorter, even after folding, so a
// longer text need not be folded for each request.
const namedMost = 4 << 10

// Named returns the items that have a text which contains name. It ignores the case of letters. An empty name selects all
// items.
func Named[N any](all []N, name string, texts func(N) []string) []N {
	if name == "" {
		return all
	}
	var kept []N
	if len(name) > namedMost {
		return kept
	}
	name = webhook.FoldName(name)
	for _, n := range all {
		for _, text := range texts(n) {
			if strings.Contains(webhook.FoldName(text), name) {
				kept = append(kept, n)
				break
			}
		}
	}
	return kept
}

// TooLarge returns the fault of a page with count items that is too large for an answer. It suggests a page size that fits,
// with 5 % of the room left for everything but the items. largest is the size of the largest item, and limit is the maximum
// size of an answer, both in bytes.
func TooLarge(count, largest, limit int) error {
	fits := max(1, min(count-1, (limit-limit/20)/max(1, largest)))
	return fault.BadParameter("pageSize", fmt.Sprintf("This page would be larger than %d bytes.", limit),
		fmt.Sprintf("Ask for pageSize=%d.", fits))
}
