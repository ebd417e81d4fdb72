package console

import "net/http"

// Posts returns the paths of the console to which forms are sent, without the prefix /admin.
func Posts() []string { return paths(http.MethodPost) }

// Gets returns the paths of all pages, without the prefix /admin.
func Gets() []string { return paths(http.MethodGet) }

func paths(method string) (paths []string) {
	for _, rt := range append(publicRoutes, routes...) {
		if rt.method == method {
			paths = append(paths, rt.path)
		}
	}
	return paths
}
