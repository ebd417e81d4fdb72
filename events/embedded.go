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

// described is the catalogue with all that belongs to it; both lists are in the order of kinds.
type described struct {
	types    []Type
	examples []Event
}

// catalogue is read at first use: a function that only decodes starts without it.
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

// readExample reads an example event. Its file is laid out for people; data is squeezed to what a producer
// would send.
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
		panic("events: an embedded file is no JSON: " + err.Error())
	}
	return compacted.Bytes()
}
