package console

import "net/http"

// Posts lists the paths below the console to which forms are sent.
func Posts() (paths []string) {
	for _, rt := range append(open, routes...) {
		if rt.method == http.MethodPost {
			paths = append(paths, rt.path)
		}
	}
	return paths
}
