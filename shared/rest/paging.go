package rest

import (
	"net/url"
	"strconv"
	"strings"

	"nepenthes/shared/api"
	"nepenthes/shared/rest/hal"
)

// paging asks for a page of a small set.
type paging struct {
	PageSize *int `query:"pageSize" minimum:"-1" doc:"The number of elements to return. The default is 20, and -1 means as many as possible. It is reduced to maxPageSize of the settings." example:"20"`
	Offset   *int `query:"offset" minimum:"1" doc:"The number of the page. The first page has number 1." example:"1"`
}

// page returns the paging of the operation.
func (p paging) page() api.Paging { return api.Paging{PageSize: p.PageSize, Offset: p.Offset} }

// cursorPaging asks for a page of a set without bounds. A page number would be useless there: new elements at the beginning
// would move the others to other pages.
type cursorPaging struct {
	PageSize *int   `query:"pageSize" minimum:"-1" doc:"The largest number of elements to return. The default is 20, and -1 means as many as possible. It is reduced to maxPageSize of the settings." example:"20"`
	Cursor   string `query:"cursor" minLength:"1" doc:"Where the page begins. Take it from a link of another page of the same list with the same filters."`
}

// filters returns the pairs of a query whose values are not empty.
func filters(pairs ...string) url.Values {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			values.Set(pairs[i], pairs[i+1])
		}
	}
	return values
}

// hrefOf returns the address of a page: the path of the set with the filters and more pairs of the query.
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

// template returns an address with parts to fill in. It does not use Encode for them, which would escape the braces.
func template(path string, filters url.Values, parts ...string) string {
	if len(filters) > 0 {
		parts = append([]string{filters.Encode()}, parts...)
	}
	return path + "?" + strings.Join(parts, "&")
}

// collection represents a page of the set at path.
func collection[N, T any](path string, filters url.Values, p *api.Page[N], show func(*N) *T) *hal.Collection[T] {
	at := func(number int) string {
		return hrefOf(path, filters, "pageSize", strconv.Itoa(p.Size), "offset", strconv.Itoa(number))
	}
	elements := make([]T, len(p.Items))
	for i := range p.Items {
		elements[i] = *show(&p.Items[i])
	}
	c := &hal.Collection[T]{
		Type: "Collection", Total: p.Total, Count: len(elements), PageSize: p.Size, Offset: p.Number,
		Embedded: hal.Elements[T]{Elements: elements},
		Links: hal.CollectionLinks{
			Self:       hal.Link{Href: at(p.Number)},
			JumpTo:     hal.Link{Href: template(path, filters, "pageSize="+strconv.Itoa(p.Size), "offset={offset}"), Templated: true},
			ChangeSize: hal.Link{Href: template(path, filters, "pageSize={size}", "offset=1"), Templated: true},
		},
	}
	if p.Number > 1 {
		c.Links.Previous = &hal.Link{Href: at(p.Number - 1)}
	}
	if p.HasNext() {
		c.Links.Next = &hal.Link{Href: at(p.Number + 1)}
	}
	return c
}
