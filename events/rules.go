package events

import (
	"strings"
	"time"
	"unicode/utf8"
)

const (
	longestID     = 128 // bytes
	longestSource = 256 // bytes
	longestName   = 255 // characters
	longestTime   = 64  // bytes; RFC 3339 allows any number of digits after the second, but times are stored
)

// Validate returns nil if Nepenthes would accept the event from a producer. Otherwise it returns an [*Error] with all
// problems, as [Decode] does. The size of the event is the size of its envelope, which [Event.Encode] writes.
func (e Event) Validate() error {
	e = e.canonical()
	found := e.unencodable()
	found.checkSource(e.Source)
	found.check(e)
	if err := found.err(); err != nil {
		return err
	}
	if size := len(e.appendTo(nil)); size > MaxSize {
		return tooLarge(size)
	}
	return nil
}

// check applies the rules that both formats share. The rule for the source is not one of them, because CloudEvents also
// allows relative references. Decoding and encoding check that text is UTF-8 and that data is JSON.
func (p *problems) check(e Event) {
	p.checkID("id", e.ID)
	p.checkType(e.Type)
	if _, ok := ParseTime(e.OccurredAt); !ok {
		p.add("occurredAt", "It is required and must be an RFC 3339 time, such as 2026-01-02T11:00:00.000Z.")
	}
	if e.Project != nil {
		p.checkID("project.id", e.Project.ID)
		p.checkName("project.identifier", e.Project.Identifier)
		p.checkName("project.name", e.Project.Name)
	}
	if e.Actor != nil {
		p.checkID("actor.id", e.Actor.ID)
		p.checkName("actor.name", e.Actor.Name)
	}
	if len(e.Data) == 0 || string(e.Data) == "null" {
		p.add("data", "It is required and cannot be null.")
	}
}

func (p *problems) checkID(attribute, id string) {
	if id == "" || len(id) > longestID || strings.ContainsFunc(id, isForbiddenInID) {
		p.add(attribute, "It is required and must have 1 to 128 of the characters A–Z, a–z, 0–9, _ and -.")
	}
}

func isForbiddenInID(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_' || r == '-')
}

// checkSource requires a URI, because a relative reference does not identify anything to a receiver.
func (p *problems) checkSource(source string) {
	if len(source) > longestSource || !isURI(source) {
		p.add("source", "It must be a URI with a scheme, of at most 256 bytes.")
	}
	p.checkReserved(source)
}

// checkReference requires a URI reference that is not empty, as CloudEvents does.
func (p *problems) checkReference(source string) {
	if len(source) > longestSource || !isURIReference(source) {
		p.add("source", "It must be a URI, or a relative reference such as /erp, of 1 to 256 bytes.")
	}
	p.checkReserved(source)
}

// checkReserved refuses the source of Nepenthes itself. It ignores case, because the scheme and the namespace of a URN do
// not depend on case (RFC 8141 §3.1), and a receiver may compare them in this way.
func (p *problems) checkReserved(source string) {
	if strings.EqualFold(source, OperationalSource) {
		p.add("source", "This source is reserved for events about webhooks, which only Nepenthes sends.")
	}
}

// checkType refuses unknown types. They match no subscription, so the event would be lost and the producer would not notice.
func (p *problems) checkType(name string) {
	position, known := positions[name]
	switch {
	case name == "":
		p.add("type", "It is required and must be the name of an event type, such as work_package:updated.")
	case !known:
		p.unknownType = true
		p.add("type", "It is not in the catalogue of event types. Names must match exactly and are in lower case.")
	case kinds[position].Operational:
		p.add("type", "Only Nepenthes sends events about webhooks. A producer cannot send them.")
	}
}

// checkName counts characters and not bytes, so that the limit is the same in every language.
func (p *problems) checkName(attribute, name string) {
	if utf8.RuneCountInString(name) > longestName {
		p.add(attribute, "It must be at most 255 characters.")
	}
}

// isURI reports whether text is a URI. It checks only the scheme and the set of characters (RFC 3986), because Nepenthes
// never resolves a source.
func isURI(text string) bool {
	scheme, rest, found := strings.Cut(text, ":")
	if !found || rest == "" || scheme == "" || !isLetter(scheme[0]) {
		return false
	}
	for i := range len(scheme) {
		if c := scheme[i]; !isLetter(c) && !isDigit(c) && !strings.ContainsRune("+-.", rune(c)) {
			return false
		}
	}
	return hasURICharacters(rest)
}

// isURIReference reports whether text is a URI or a relative reference that is not empty. A colon before the first slash,
// question mark or hash ends a scheme (RFC 3986 §4.2), so such a text must be a URI.
func isURIReference(text string) bool {
	first := text
	if end := strings.IndexAny(text, "/?#"); end >= 0 {
		first = text[:end]
	}
	if strings.Contains(first, ":") {
		return isURI(text)
	}
	return text != "" && hasURICharacters(text)
}

func hasURICharacters(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case isLetter(c) || isDigit(c) || strings.IndexByte("-._~:/?#[]@!$&'()*+,;=", c) >= 0:
		case c == '%' && i+2 < len(text) && isHex(text[i+1]) && isHex(text[i+2]):
		default:
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// ParseTime parses an RFC 3339 time (§5.6) of at most 64 bytes. The letters t and z may be in lower case. A leap second,
// 23:59:60 in UTC, becomes the first second of the next day. Package time cannot be used alone: it accepts single digits, a
// comma and impossible zones, and refuses lower case and leap seconds. ParseTime returns false if text is not such a time.
func ParseTime(text string) (time.Time, bool) {
	if len(text) > longestTime || !isTimeShaped(text) {
		return time.Time{}, false
	}
	leap := text[17:19] == "60"
	if leap {
		text = text[:17] + "59" + text[19:]
	}
	parsed, err := time.Parse(time.RFC3339, strings.ToUpper(text))
	if err != nil {
		return time.Time{}, false
	}
	if leap { // package time has no 60th second, so the 59th was parsed instead
		if hour, minute, _ := parsed.UTC().Clock(); hour != 23 || minute != 59 {
			return time.Time{}, false
		}
		parsed = parsed.Add(time.Second)
	}
	return parsed, true
}

// isTimeShaped checks the places of digits and punctuation and the range of the zone. Package time checks the ranges of the
// other numbers.
func isTimeShaped(text string) bool {
	if len(text) < len("2006-01-02T15:04:05Z") || !fits(text[:19], "0000-00-00T00:00:00") {
		return false
	}
	zone := text[19:]
	if zone[0] == '.' {
		digits := strings.TrimLeft(zone[1:], "0123456789")
		if len(digits) == len(zone)-1 {
			return false
		}
		zone = digits
	}
	switch {
	case zone == "Z" || zone == "z":
		return true
	case fits(zone, "+00:00") || fits(zone, "-00:00"):
		return zone[1:3] <= "23" && zone[4:6] <= "59"
	}
	return false
}

// fits reports whether text has a digit wherever pattern has 0 and equals pattern everywhere else. It ignores the case of
// letters.
func fits(text, pattern string) bool {
	if len(text) != len(pattern) {
		return false
	}
	for i := range len(pattern) {
		switch c := pattern[i]; {
		case c == '0' && !isDigit(text[i]), c != '0' && c != text[i] && c|' ' != text[i]:
			return false
		}
	}
	return true
}
