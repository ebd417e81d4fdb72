package hal

// Collection is a page of a small set, numbered from 1.
type Collection[T any] struct {
	Type     string          `json:"_type" enum:"Collection" doc:"Always Collection." example:"Collection"`
	Total    int             `json:"total" minimum:"0" doc:"How many elements there are on all pages." example:"42"`
	Count    int             `json:"count" minimum:"0" doc:"How many elements this page has." example:"20"`
	PageSize int             `json:"pageSize" minimum:"0" doc:"The page size that was used; a larger one is clamped to the deployment's maximum." example:"20"`
	Offset   int             `json:"offset" minimum:"1" doc:"The number of this page; 1 is the first." example:"1"`
	Embedded Elements[T]     `json:"_embedded"`
	Links    CollectionLinks `json:"_links"`
}

// Elements holds the elements of a page.
type Elements[T any] struct {
	Elements []T `json:"elements" nullable:"false" doc:"The elements of this page."`
}

// CollectionLinks lead to other pages.
type CollectionLinks struct {
	Self       Link  `json:"self" doc:"This page."`
	JumpTo     Link  `json:"jumpTo" doc:"Any page: fill in {offset}."`
	ChangeSize Link  `json:"changeSize" doc:"The first page with another page size: fill in {size}."`
	Previous   *Link `json:"previousByOffset,omitempty" doc:"The page before; absent on the first."`
	Next       *Link `json:"nextByOffset,omitempty" doc:"The page after; absent on the last."`
}

// CursorCollection is a page of a set without bounds; its pages are reached through links alone.
type CursorCollection[T any] struct {
	Type     string      `json:"_type" enum:"Collection" doc:"Always Collection." example:"Collection"`
	Count    int         `json:"count" minimum:"0" doc:"How many elements this page has. It may be fewer than pageSize, even none, and still not be the last." example:"20"`
	PageSize int         `json:"pageSize" minimum:"0" doc:"The page size that was used; a larger one is clamped to the deployment's maximum." example:"20"`
	Embedded Elements[T] `json:"_embedded"`
	Links    CursorLinks `json:"_links"`
}

// CursorLinks lead to the neighbouring pages. Only a missing Next is the end.
type CursorLinks struct {
	Self     Link  `json:"self" doc:"This page."`
	Next     *Link `json:"next,omitempty" doc:"The page after. Only when it is missing this is the last."`
	Previous *Link `json:"previous,omitempty" doc:"The page before; absent on the first."`
}

// Sized is an answer that can be made smaller by asking for smaller pages.
type Sized interface{ Parts() []any }

// Parts are the elements.
func (c *Collection[T]) Parts() []any { return parts(c.Embedded.Elements) }

// Parts are the elements.
func (c *CursorCollection[T]) Parts() []any { return parts(c.Embedded.Elements) }

func parts[T any](elements []T) []any {
	all := make([]any, len(elements))
	for i := range elements {
		all[i] = elements[i]
	}
	return all
}
