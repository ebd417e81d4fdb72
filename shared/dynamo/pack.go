package dynamo

import (
	"bytes"
	"encoding/binary"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/klauspost/compress/flate"
)

// packing writes values one after another, without their names, or reads them back in the same order, so one list of
// fields serves both. Unlike JSON, it keeps texts that are not UTF-8, which receivers may send, and it does not encode
// bytes.
type packing struct {
	data    []byte
	reading bool
	err     error
}

// The first byte of a packed item says how the rest is written. A change of the dictionary or of a list of fields needs
// a new number, because old items must stay readable for as long as they are kept.
const (
	plainV1   = 1
	deflateV1 = 2
)

// minDeflate is the smallest number of bytes that pack tries to compress. Leases and summaries are shorter.
const minDeflate = 100

// dictionary holds texts that are common in events and responses, the most common last. It makes a small item about a
// quarter shorter, so that two failed attempts fit into the kilobyte of a row.
const dictionary = `{"format":"markdown","raw":"","html":""},"percentageDone":"description":"startDate":"dueDate":"lockVersion":` +
	`"createdAt":"2026-01-01T00:00:00Z","updatedAt":"2026-01-01T00:00:00.000Z","subject":"identifier":"comment":` +
	`"_links":{"self":{"href":"/api/v3/work_packages/","title":""},"project":{"href":"/api/v3/projects/","title":""},` +
	`"status":{"href":"/api/v3/statuses/"},"type":{"href":"/api/v3/types/"},"author":{"href":"/api/v3/users/"},` +
	`"assignee":{"href":null},"priority":{"href":"/api/v3/priorities/"}}{"_type":"WorkPackage","id":"name":"` +
	`projecttime_entryattachmentwiki_pagememberversionuserwork_package:createdwork_package:updatedurn:nepenthesevt_01` +
	`timeoutconnectresetdnstlsstatusmanualreplayschedulefaileddeliveredcloudeventsstandardnepenthes` +
	`<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>{"status":"ok"}{"error":"message":"` +
	`cloudflareapachenginxtext/plaintext/html; charset=utf-8application/json; charset=utf-8` +
	`Strict-Transport-Securitymax-age=31536000; includeSubDomainsno-cache, no-store, must-revalidateAccess-Control-Allow-Origin` +
	`X-Content-Type-OptionsnosniffX-Frame-OptionsSAMEORIGINX-Powered-ByX-Request-IdCache-ControlConnectionclosekeep-alive` +
	`ContentLength0Content-TypeDateMon, 01 Jan 2026 00:00:00 GMTServerVaryAccept-Encodinghttps://.example.com/webhooks/att_01`

// pack returns the packed fields, compressed if that makes them shorter.
func pack(fields func(*packing)) []byte {
	p := &packing{data: []byte{plainV1}}
	fields(p)
	if len(p.data) < minDeflate {
		return p.data
	}
	if small := deflate(p.data[1:]); len(small) < len(p.data) {
		return small
	}
	return p.data
}

// unpack reads fields back. It returns an error for data that pack did not write.
func unpack(data []byte, fields func(*packing)) error {
	if len(data) == 0 {
		return errDamaged
	}
	p := &packing{data: data[1:], reading: true}
	switch data[0] {
	case plainV1:
	case deflateV1:
		p.data, p.err = io.ReadAll(flate.NewReaderDict(bytes.NewReader(data[1:]), []byte(dictionary)))
	default:
		return errDamaged
	}
	fields(p)
	if p.err == nil && len(p.data) > 0 {
		p.err = errDamaged
	}
	return p.err
}

// deflate compresses data without memory between calls. For a small text it takes a third of the time of
// compress/flate, which clears its tables for every text. The result of an attempt is 1 % longer, and that of an event
// up to 16 %.
func deflate(data []byte) []byte {
	small := bytes.NewBuffer([]byte{deflateV1})
	_ = flate.StatelessDeflate(small, data, true, []byte(dictionary)) // a write to a buffer does not fail
	return small.Bytes()
}

// packNumber packs or unpacks an integer of any kind, such as a duration.
func packNumber[T ~int | ~int64](p *packing, n *T) {
	if !p.reading {
		p.data = binary.AppendVarint(p.data, int64(*n))
		return
	}
	value, size := binary.Varint(p.data)
	if size <= 0 {
		p.fail()
		return
	}
	*n, p.data = T(value), p.data[size:]
}

// packText packs or unpacks bytes or a text of any kind.
func packText[T ~string | ~[]byte](p *packing, s *T) {
	size := len(*s)
	packNumber(p, &size)
	switch {
	case !p.reading:
		p.data = append(p.data, *s...)
	// The size is checked before memory is allocated, because the data may be damaged.
	case size < 0 || size > len(p.data):
		p.fail()
	case size > 0:
		*s, p.data = T(bytes.Clone(p.data[:size])), p.data[size:]
	}
}

// packFlag packs or unpacks a bool.
func packFlag(p *packing, b *bool) {
	n := 0
	if *b {
		n = 1
	}
	packNumber(p, &n)
	*b = n != 0
}

// packTime packs or unpacks an instant. It keeps the zero time.
func packTime(p *packing, t *time.Time) {
	seconds, nanoseconds := t.Unix(), int64(t.Nanosecond())
	packNumber(p, &seconds)
	packNumber(p, &nanoseconds)
	*t = time.Unix(seconds, nanoseconds).UTC()
}

// packOptional packs or unpacks a value that may be nil.
func packOptional[T any](p *packing, v **T, fields func(*packing, *T)) {
	present := *v != nil
	if packFlag(p, &present); !present || p.err != nil {
		return
	}
	if p.reading {
		*v = new(T)
	}
	fields(p, *v)
}

// packTexts packs or unpacks a list of texts.
func packTexts(p *packing, list *[]string) {
	n := len(*list)
	packNumber(p, &n)
	for i := 0; i < n && p.err == nil; i++ {
		if p.reading {
			*list = append(*list, "")
		}
		packText(p, &(*list)[i])
	}
}

// packHeaders packs or unpacks headers. It sorts the names, so that equal headers give equal bytes.
func packHeaders[T ~map[string][]string](p *packing, headers *T) {
	names := slices.Sorted(maps.Keys(*headers))
	packTexts(p, &names)
	if p.reading {
		*headers = T{}
	}
	for _, name := range names {
		values := (*headers)[name]
		packTexts(p, &values)
		(*headers)[name] = values
	}
}

// fail records that the data is damaged and ends the reading.
func (p *packing) fail() { p.data, p.err = nil, errDamaged }
