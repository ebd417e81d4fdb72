package hal

// Collection is a page of a small set, numbered from 1.
type Collection[T any] struct {
	Type     string          `json:"_type" enum:"Collection" doc:"Always Collection." example:"Collection"`
	Total    int             `json:"total" minimum:"0" doc:"The number of elements on all pages." example:"42"`
	Count    int             `json:"count" minimum:"0" doc:"The number of elements on this page." example:"20"`
	PageSize int             `json:"pageSize" minimum:"0" doc:"The page size that was used. It is at most maxPageSize of the settings." example:"20"`
	Offset   int             `json:"offset" minimum:"1" doc:"The number of this page. The first page has number 1." example:"1"`
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
	JumpTo     Link  `json:"jumpTo" doc:"Any page. Fill in {offset}."`
	ChangeSize Link  `json:"changeSize" doc:"The first page with another page size. Fill in {size}."`
	Previous   *Link `json:"previousByOffset,omitempty" doc:"The previous page. It is absent on the first page."`
	Next       *Link `json:"nextByOffset,omitempty" doc:"The next page. It is absent on the last page."`
}

// CursorCollection is a page of an unbounded set. Its pages are reached only by links.
type CursorCollection[T any] struct {
	Type     string      `json:"_type" enum:"Collection" doc:"Always Collection." example:"Collection"`
	Count    int         `json:"count" minimum:"0" doc:"The number of elements on this page. It may be less than pageSize, even 0, on a page that is not the last." example:"20"`
	PageSize int         `json:"pageSize" minimum:"0" doc:"The page size that was used. It is at most maxPageSize of the settings." example:"20"`
	Embedded Elements[T] `json:"_embedded"`
	Links    CursorLinks `json:"_links"`
}

// CursorLinks lead to the neighbouring pages. Only the last page has no Next.
type CursorLinks struct {
	Self     Link  `json:"self" doc:"This page."`
	Next     *Link `json:"next,omitempty" doc:"The next page. Only the last page has no next page."`
	Previous *Link `json:"previous,omitempty" doc:"The previous page. It is absent on the first page."`
}

// Sized is an answer that is smaller if the client asks for a smaller page.
type Sized interface{ Parts() []any }

// Parts returns the elements.
func (c *Collection[T]) Parts() []any { return parts(c.Embedded.Elements) }

// Parts returns the elements.
func (c *CursorCollection[T]) Parts() []any { return parts(c.Embedded.Elements) }

// parts returns the elements as values of any type.
func parts[T any](elements []T) []any {
	all := make([]any, len(elements))
	for i := range elements {
		all[i] = elements[i]
	}
	return all
}
