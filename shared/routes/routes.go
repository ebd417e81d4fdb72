// Package routes says which function answers which path, once, for all who must agree on it: infra makes the
// gateway's resources of it, and a test holds it against the operations that there are.
package routes

import (
	"slices"
	"strings"
)

// Function is the name of a function: of its folder, and of its construct in the stack.
type Function string

// The functions behind API Gateway.
const (
	Settings Function = "settings"
	Webhooks Function = "webhooks"
	OAuth    Function = "oauth"
	Console  Function = "console"
)

// The functions behind queues and the clock.
const (
	Fanout  Function = "fanout"
	Sender  Function = "sender"
	Sweeper Function = "sweeper"
)

// Functions lists every function.
func Functions() []Function { return append(HTTP(), Fanout, Sender, Sweeper) }

// HTTP lists the functions behind API Gateway.
func HTTP() []Function { return []Function{Settings, Webhooks, OAuth, Console} }

// table gives each prefix its function. The longest prefix that a path begins with decides, segment by segment; the
// root takes what is left, so that no path is unknown to us and every 404 is ours.
var table = map[string]Function{
	"/":                     Webhooks,
	"/api/v3/settings":      Settings,
	"/api/v3/oauth_clients": OAuth,
	"/oauth":                OAuth,
	"/.well-known":          OAuth,
	"/api/docs":             Console,
	"/admin":                Console,
}

// Prefixes lists the paths that a gateway must know, in alphabetical order: those of the table, and those that are
// only on the way to one. At each of them, and below each, every method belongs to its Owner.
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

// Owner is the function that answers a path.
func Owner(path string) Function {
	for {
		if f, ok := table[path]; ok {
			return f
		}
		path = parent(path)
	}
}

// parent is the path without its last segment; the root is its own.
func parent(path string) string {
	if i := strings.LastIndexByte(path, '/'); i > 0 {
		return path[:i]
	}
	return "/"
}
