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

// Env gives the variables that [Load] reads c back from. It panics when a text is empty: every variable is needed,
// and the stack that forgot one shall not be deployed.
func Env[T any](c T) map[string]string {
	variables := map[string]string{}
	each(reflect.ValueOf(&c).Elem(), func(name string, field reflect.Value) {
		if variables[name] = fmt.Sprint(field.Interface()); variables[name] == "" {
			panic("config: there is no value for " + name)
		}
	})
	return variables
}

// Load reads a function's struct from the environment. All variables that are missing, empty or not of their type
// are named in one error; their values are not.
func Load[T any](lookup func(name string) (value string, found bool)) (c T, err error) {
	defer fault.Wrap(&err, "read the environment")
	var faults []string
	each(reflect.ValueOf(&c).Elem(), func(name string, field reflect.Value) {
		text, _ := lookup(name)
		if text == "" {
			faults = append(faults, name+" is missing")
		} else if set(field, text) != nil {
			faults = append(faults, name+" is no "+field.Kind().String())
		}
	})
	if faults != nil {
		return c, errors.New(strings.Join(faults, ", "))
	}
	return c, nil
}

// MustLoad is Load from the process's environment, for the top of a main: it panics where Load fails.
func MustLoad[T any]() T {
	c, err := Load[T](os.LookupEnv)
	if err != nil {
		panic(err)
	}
	return c
}

// each visits the fields that have a variable, those of embedded structs included.
func each(v reflect.Value, visit func(name string, field reflect.Value)) {
	for i := range v.NumField() {
		if name, ok := v.Type().Field(i).Tag.Lookup("env"); ok {
			visit(name, v.Field(i))
		} else {
			each(v.Field(i), visit)
		}
	}
}

// set gives a field the value that Env has written.
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
	field.SetString(text) // panics for a kind that has no case here
	return nil
}
