package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"

	"nepenthes/shared/fault"
)

// Env returns the variables from which [Load] reads c. It panics if a string in c is empty: every variable is
// required, and a stack without it must not be deployed.
func Env[T any](c T) map[string]string {
	variables := map[string]string{}
	each(reflect.ValueOf(&c).Elem(), func(name string, field reflect.Value) {
		if variables[name] = fmt.Sprint(field.Interface()); variables[name] == "" {
			panic("config: there is no value for " + name)
		}
	})
	return variables
}

// Load reads a function's struct from the environment. If variables are missing, empty or of the wrong type, Load
// returns one error that names all of them. The error does not contain their values.
func Load[T any](lookup func(name string) (value string, found bool)) (c T, err error) {
	defer fault.Wrap(&err, "read the environment")
	var faults []string
	each(reflect.ValueOf(&c).Elem(), func(name string, field reflect.Value) {
		text, _ := lookup(name)
		if text == "" {
			faults = append(faults, name+" is missing")
		} else if set(field, text) != nil {
			faults = append(faults, name+" is not a valid "+field.Kind().String())
		}
	})
	if faults != nil {
		return c, errors.New(strings.Join(faults, ", "))
	}
	return c, nil
}

// MustLoad is like Load with the environment of the process, but panics if Load fails. It is meant for main.
func MustLoad[T any]() T {
	c, err := Load[T](os.LookupEnv)
	if err != nil {
		panic(err)
	}
	return c
}

// each calls visit for every field that has a variable, including the fields of embedded structs.
func each(v reflect.Value, visit func(name string, field reflect.Value)) {
	for i := range v.NumField() {
		if name, ok := v.Type().Field(i).Tag.Lookup("env"); ok {
			visit(name, v.Field(i))
		} else {
			each(v.Field(i), visit)
		}
	}
}

// set parses text, as written by Env, into a field.
func set(field reflect.Value, text string) error {
	switch field.Kind() {
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		field.SetBool(b)
		return err
	case reflect.Int:
		n, err := strconv.ParseInt(text, 10, 0)
		field.SetInt(n)
		return err
	case reflect.Float64:
		x, err := strconv.ParseFloat(text, 64)
		field.SetFloat(x)
		return err
	}
	field.SetString(text) // panics if the kind has no case above
	return nil
}
