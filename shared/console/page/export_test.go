package page

import (
	"nepenthes/shared/delivery"
	"nepenthes/shared/payload"
)

// Bodies returns the bodies that the page of a delivery shows. texts are the bodies of its requests, oldest first.
func Bodies(texts []*string, raw bool) []Body {
	requests := make([]payload.Request, len(texts))
	for i, text := range texts {
		requests[i] = payload.Request{Attempt: &delivery.Attempt{ID: "att_1", Number: i + 1}, Body: text}
	}
	return bodies(requests, "", raw)
}

// CurlOf returns the command that repeats a request.
func CurlOf(r *payload.Request) *Curl { return command(r, "") }
