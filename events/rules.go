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
	longestTime   = 64  // bytes; RFC 3339 allows any number of digits behind the second, but times are stored
)

// Validate tells whether Nepenthes would accept the event from a producer: nil, or an [*Error] like that of
// [Decode], with everything that is wrong. Size is judged by what [Event.Encode] would make of the event.
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

// check applies every rule but those about bytes that are no text or no JSON, and about the source, for which there are
// two.
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
	if id == "" || len(id) > longestID || strings.ContainsFunc(id, isNoIDCharacter) {
		p.add(attribute, "It is required and must be 1 to 128 of A–Z, a–z, 0–9, _ and -.")
	}
}

func isNoIDCharacter(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_' || r == '-')
}

// checkSource demands a URI: a relative reference would name nothing to a receiver.
func (p *problems) checkSource(source string) {
	if len(source) > longestSource || !isURI(source) {
		p.add("source", "It must be a URI with its scheme, at most 256 bytes.")
	}
	p.checkReserved(source)
}

// checkReference demands what CloudEvents asks of a source: a URI reference that is not empty.
func (p *problems) checkReference(source string) {
	if len(source) > longestSource || !isURIReference(source) {
		p.add("source", "It must be a URI, or a relative reference such as /erp, of 1 to 256 bytes.")
	}
	p.checkReserved(source)
}

// checkReserved refuses Nepenthes' own source, in whatever case: scheme and namespace of a URN have none (RFC 8141 §3.1),
// and a receiver may compare them so.
func (p *problems) checkReserved(source string) {
	if strings.EqualFold(source, OperationalSource) {
		p.add("source", "This source is reserved for what Nepenthes tells about webhooks.")
	}
}

func (p *problems) checkType(name string) {
	position, known := positions[name]
	switch {
	case name == "":
		p.add("type", "It is required: the name of an event type, such as work_package:updated.")
	case !known:
		p.unknownType = true
		p.add("type", "It is not in the catalogue of event types; names are exact and lower case.")
	case kinds[position].Operational:
		p.add("type", "Types about webhooks are Nepenthes' own; a producer cannot send them.")
	}
}

func (p *problems) checkName(attribute, name string) {
	if utf8.RuneCountInString(name) > longestName {
		p.add(attribute, "It must be at most 255 characters.")
	}
}

// isURI tells whether text is a URI by the characters and the scheme of RFC 3986.
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

// isURIReference tells whether text is a URI or a relative reference that is not empty. A colon before the first slash,
// question mark or hash ends a scheme (RFC 3986 §4.2).
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

// ParseTime reads an RFC 3339 time (§5.6): t and z may be lower case, and a second may be the 60th at the end
// of a UTC day, which counts here as the first of the next. Package time alone would take single digits, a
// comma and impossible zones, and refuse the other two.
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
	if leap {
		if hour, minute, _ := parsed.UTC().Clock(); hour != 23 || minute != 59 {
			return time.Time{}, false
		}
		parsed = parsed.Add(time.Second)
	}
	return parsed, true
}

// isTimeShaped checks where digits and punctuation stand; how great the numbers are is for package time to
// judge, but for the zone's.
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

// fits tells whether text has a digit wherever pattern has 0, and is like pattern elsewhere but for the case
// of letters.
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
