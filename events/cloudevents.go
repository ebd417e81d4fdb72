package events

// cloudEvent returns the event of a CloudEvents 1.0 structured JSON message. It ignores attributes that this package does
// not use and extensions other than projectid, as CloudEvents intends. A name that CloudEvents does not allow is not an
// extension but a mistake.
func (d *decoder) cloudEvent(o outline) Event {
	if version := d.text("specversion", o.specVersion); version != "1.0" {
		d.problems.add("specversion", `It must be "1.0".`)
	}
	if !o.dataBase64.IsZero() {
		d.problems.add("data_base64", "Binary data is not accepted: data must be JSON.")
	}
	if !o.occurredAt.IsZero() {
		o.others = append(o.others, "occurredAt")
	}
	for _, name := range o.others {
		if !isAttributeName(name) {
			d.problems.add(printable(name), "CloudEvents allows only lower-case letters and digits in a name.")
		}
	}
	e := d.common(o)
	if e.Source == "" {
		d.problems.add("source", "CloudEvents requires it. It must be a URI or a relative reference of 1 to 256 bytes.")
	}
	e.OccurredAt = d.text("time", o.time)
	if d.has(o.projectID) {
		e.Project = &Project{ID: d.text("projectid", o.projectID)}
	}
	return e
}

// cloudEventsName returns the name that CloudEvents has for a member of the envelope.
func cloudEventsName(attribute string) string {
	switch attribute {
	case "occurredAt":
		return "time"
	case "project.id":
		return "projectid"
	}
	return attribute
}

// isAttributeName reports whether a name follows the "Attribute Naming Convention" of the CloudEvents specification.
func isAttributeName(name string) bool {
	for i := range len(name) {
		if c := name[i]; !('a' <= c && c <= 'z' || isDigit(c)) {
			return false
		}
	}
	return name != ""
}
