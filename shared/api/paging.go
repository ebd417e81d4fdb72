package api

import (
	"context"
	"fmt"
	"math"
	"net/url"
	"strings"

	"nepenthes/shared/fault"
	"nepenthes/shared/webhook"
)

// Paging asks for a page of a small set.
type Paging struct {
	// Most is how many elements to return at most, however large a page may be; 0 leaves it to the page size. It does
	// not stand on the wire: it is for callers within the service, which show a list of their own and read it once.
	Most     int
	PageSize *int `query:"pageSize" minimum:"-1" doc:"How many elements to return: 20 unless told otherwise, -1 for as many as possible. More than the deployment's maximum is clamped to it." example:"20"`
	Offset   *int `query:"offset" minimum:"1" doc:"The number of the page; 1 is the first." example:"1"`
}

// All asks for all elements of a small set, see Paging.Most.
const All = math.MaxInt32

// defaultPageSize is used when none is asked for.
const defaultPageSize = 20

// invalidQuery makes the fault about one parameter of the query.
func invalidQuery(name, message, hint string) *fault.Fault {
	f := fault.New(fault.InvalidQuery, "%s: %s", name, message).With(hint)
	f.Details = []fault.Detail{{Attribute: name, Message: message, Hint: hint}}
	return f
}

// effective is the page size that is used: what was asked for, clamped to the deployment's maximum.
func (c *Config) effective(ctx context.Context, asked *int, most int) (int, error) {
	if most > 0 {
		return most, nil
	}
	if asked != nil && *asked < -1 {
		return 0, invalidQuery("pageSize", "It is below -1.", "Ask for 0 or more, or for -1: as many as possible.")
	}
	s, err := c.Catalogue.Settings(ctx)
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

// page is a page of a small set whose numbers were checked.
type page struct{ size, offset int }

func (c *Config) page(ctx context.Context, p Paging) (page, error) {
	if p.Offset != nil && *p.Offset < 1 {
		return page{}, invalidQuery("offset", "It is below 1.", "The first page has number 1.")
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

// bounds are the first element of the page and the one after its last, in a set of total elements.
func (p page) bounds(total int) (from, to int) {
	// Dividing instead of multiplying: offset may be any number.
	if p.size == 0 || p.offset-1 > total/p.size {
		return total, total
	}
	from = min((p.offset-1)*p.size, total)
	return from, min(from+p.size, total)
}

// hrefOf is where a page of the set is: its path with the filters and more pairs of the query.
func hrefOf(path string, filters url.Values, more ...string) string {
	query := url.Values{}
	for name, values := range filters {
		query[name] = values
	}
	for i := 0; i < len(more); i += 2 {
		query.Set(more[i], more[i+1])
	}
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// Page is a page of a small set.
type Page[T any] struct {
	Items []T
	// Total is how many items there are on all pages.
	Total int
	// Size is the page size that was used, and Number the number of this page; 1 is the first.
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

// namedMost bounds what is looked for in names, in bytes: no name is as long, however it is folded.
const namedMost = 4 << 10

// Named keeps those of which one of the texts contains name, both folded; an empty name keeps all.
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

// filters holds those that were given.
func filters(pairs ...string) url.Values {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			values.Set(pairs[i], pairs[i+1])
		}
	}
	return values
}

// TooLarge is the fault of a page that would be larger than an answer may be; largest is the size of its largest
// element in bytes, limit that of an answer.
func TooLarge(count, largest, limit int) error {
	fits := max(1, min(count-1, (limit-limit/20)/max(1, largest)))
	return invalidQuery("pageSize", fmt.Sprintf("This page would be larger than %d bytes.", limit),
		fmt.Sprintf("Ask for pageSize=%d.", fits))
}
