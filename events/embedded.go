package events

import (
	"bytes"
	"embed"
	"encoding/json"
	"slices"
	"sync"
)

//go:embed examples/*.json schemas/*.json
var files embed.FS

// described holds the types with their schemas and examples. Both lists are in the order of kinds.
type described struct {
	types    []Type
	examples []Event
}

// catalogue reads the embedded files at its first call, because a function that only decodes does not need them.
var catalogue = sync.OnceValue(func() (all described) {
	all.types = slices.Clone(kinds)
	for i := range all.types {
		t := &all.types[i]
		example := readExample(t.Name, "examples/"+t.Resource+"."+t.Action+".json")
		t.Example = example.Data
		t.Schema = compact(readFile("schemas/" + t.Resource + ".json"))
		all.examples = append(all.examples, example)
	}
	return all
})

// readExample reads an example event and removes the white space of data, because the file is laid out for people.
func readExample(name, file string) Event {
	event, err := Restore(readFile(file))
	if err != nil {
		panic("events: the embedded example of " + name + ": " + err.Error())
	}
	event.Data = compact(event.Data)
	return event
}

func readFile(name string) []byte {
	content, err := files.ReadFile(name)
	if err != nil {
		panic("events: an embedded file is missing: " + err.Error())
	}
	return content
}

func compact(text json.RawMessage) json.RawMessage {
	var compacted bytes.Buffer
	if err := json.Compact(&compacted, text); err != nil {
		panic("events: an embedded file is not JSON: " + err.Error())
	}
	return compacted.Bytes()
}
