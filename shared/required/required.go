// Package required finds the dependency that is missing in a Config.
package required

import (
	"reflect"
	"slices"
)

// Fields panics if a dependency in config, a struct, is missing. The panic names the field. See Missing.
func Fields(config any, optional ...string) {
	if name := Missing(config, optional...); name != "" {
		panic(reflect.TypeOf(config).String() + ": " + name + " is missing")
	}
}

// Missing returns the name of the first field of config, a struct, that is a nil interface or a nil pointer, or "" if
// there is no such field. It looks into embedded structs too. Fields of other kinds, such as functions and numbers, have
// defaults, and so have the fields with the optional names.
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
