package console

import "net/http"

// Posts lists the paths below the console to which forms are sent.
func Posts() []string { return paths(http.MethodPost) }

// Gets lists the paths below the console of all pages.
func Gets() []string { return paths(http.MethodGet) }

func paths(method string) (paths []string) {
	for _, rt := range append(open, routes...) {
		if rt.method == method {
			paths = append(paths, rt.path)
		}
	}
	return paths
}
