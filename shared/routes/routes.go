// Package routes declares which function answers which path. The resources of the API gateway in infra are made from
// it, and a test compares it with the operations of the API.
package routes

import (
	"slices"
	"strings"
)

// Function is the name of a function. Its folder and its construct in the stack have the same name.
type Function string

// The functions behind API Gateway.
const (
	Settings Function = "settings"
	Webhooks Function = "webhooks"
	OAuth    Function = "oauth"
	Console  Function = "console"
)

// The functions that queues and the schedule invoke.
const (
	Fanout  Function = "fanout"
	Sender  Function = "sender"
	Sweeper Function = "sweeper"
)

// Functions returns every function.
func Functions() []Function { return append(HTTP(), Fanout, Sender, Sweeper) }

// HTTP returns the functions behind API Gateway.
func HTTP() []Function { return []Function{Settings, Webhooks, OAuth, Console} }

// table maps prefixes of paths to functions. The longest prefix that matches whole segments of a path decides. The root
// matches every other path, so the gateway never answers 404 itself.
var table = map[string]Function{
	"/":                     Webhooks,
	"/api/v3/settings":      Settings,
	"/api/v3/oauth_clients": OAuth,
	"/oauth":                OAuth,
	"/.well-known":          OAuth,
	"/api/docs":             Console,
	"/admin":                Console,
}

// Prefixes returns the paths that the gateway must know, in alphabetical order: the prefixes of the table and all their
// parents. Every method at and below a prefix belongs to the prefix's Owner.
func Prefixes() []string {
	known := map[string]bool{}
	for prefix := range table {
		for ; !known[prefix]; prefix = parent(prefix) {
			known[prefix] = true
		}
	}
	all := make([]string, 0, len(known))
	for prefix := range known {
		all = append(all, prefix)
	}
	slices.Sort(all)
	return all
}

// Owner returns the function that answers a path.
func Owner(path string) Function {
	for {
		if f, ok := table[path]; ok {
			return f
		}
		path = parent(path)
	}
}

// parent returns the path without its last segment. The parent of the root is the root.
func parent(path string) string {
	if i := strings.LastIndexByte(path, '/'); i > 0 {
		return path[:i]
	}
	return "/"
}
