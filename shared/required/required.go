// Package required refuses a Config that is not valid. A constructor that uses it panics at start, because such a Config is
// a mistake in the program and would otherwise fail at the first request.
package required

import (
	"reflect"
	"slices"
)

// Fields panics if a dependency in config, a struct, is missing. The panic names the field. See Missing.
func Fields(config any, optional ...string) {
	if name := Missing(config, optional...); name != "" {
		That(false, config, name+" is missing")
	}
}

// That panics with the problem of config, a struct, unless ok is true. The problem begins with the name of a field. That
// is for values with rules of their own, such as the shortest length of a key.
func That(ok bool, config any, problem string) {
	if !ok {
		panic(reflect.TypeOf(config).String() + ": " + problem)
	}
}

// Missing returns the name of the first field of config, a struct, that is a nil interface or a nil pointer, or "" if
// there is no such field. It looks into embedded structs too. Fields of other kinds, such as functions and numbers, have
// defaults. The fields with the optional names may be nil.
func Missing(config any, optional ...string) string {
	value := reflect.ValueOf(config)
	for _, f := range reflect.VisibleFields(value.Type()) {
		isDependency := f.Type.Kind() == reflect.Interface || f.Type.Kind() == reflect.Pointer
		if f.IsExported() && isDependency && !slices.Contains(optional, f.Name) && value.FieldByIndex(f.Index).IsNil() {
			return f.Name
		}
	}
	return ""
}
