package sqlite

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"unicode/utf8"

	"zombiezen.com/go/sqlite"

	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/limits"
	"nepenthes/shared/webhook"
)

// attemptColumns are the columns of an attempt, in the order of bindAttempt and scanAttempt, after the number of its
// delivery. Attempts have a table of their own, because a list of deliveries needs none of them. In the row of the
// delivery they would save 3 % of the work for a delivery, but each attempt would write all earlier ones again.
const attemptColumns = `number, id, trigger, outcome, started_at, url, format, signed, legacy, header_names,
	dns, connect, tls, first_byte, total, error_class, error_message, status, headers, body, truncated`

// The row of an attempt has the number of the row of its delivery, which is shorter than the key.
var addAttempt = `INSERT OR REPLACE INTO attempts (delivery, ` + attemptColumns + `)
	VALUES ((SELECT number` + fromDelivery + `), ` + numbered(4, attemptColumns) + `)`

const listAttempts = `SELECT ` + attemptColumns + ` FROM attempts
	WHERE delivery = (SELECT number` + fromDelivery + ` AND expires_at > ?4) ORDER BY number`

// Attempts implements store.Deliveries.
func (db *DB) Attempts(ctx context.Context, key delivery.Key) (attempts []delivery.Attempt, err error) {
	defer fault.Wrap(&err, "list the attempts for event %x to %s", key.Event, key.Webhook)
	err = db.read(ctx, func(conn *sqlite.Conn) error {
		return each(bindKey(bind(conn, listAttempts), key).instant(db.now()).stmt, func(row *columns) error {
			a, err := scanAttempt(row)
			attempts = append(attempts, a)
			return err
		})
	})
	return attempts, err
}

// encodedAttempt is an attempt with the JSON of its row. It is encoded before the writer runs, because all operations
// wait for the writer.
type encodedAttempt struct {
	*delivery.Attempt
	headerNames, headers string
}

// encodeAttempt encodes an attempt. If a is nil, the result holds no attempt.
func encodeAttempt(a *delivery.Attempt) (e encodedAttempt, err error) {
	if a == nil {
		return e, nil
	}
	names, err := json.Marshal(a.HeaderNames)
	if err != nil || a.Response == nil {
		return encodedAttempt{Attempt: a, headerNames: string(names)}, err
	}
	headers, err := json.Marshal(recode(a.Response.Headers, latin1))
	return encodedAttempt{Attempt: a, headerNames: string(names), headers: string(headers)}, err
}

// putAttempt stores an attempt of a delivery, in place of one with the same number, and deletes the attempt that is
// then too old to keep. It does nothing if there is no attempt.
func putAttempt(conn *sqlite.Conn, key delivery.Key, a encodedAttempt) error {
	if a.Attempt == nil {
		return nil
	}
	if err := execute(bindAttempt(bindKey(bind(conn, addAttempt), key), a).stmt); err != nil {
		return err
	}
	if a.Number <= limits.AttemptsMax {
		return nil
	}
	p := bindKey(bind(conn, `DELETE FROM attempts WHERE delivery = (SELECT number`+fromDelivery+`) AND number <= ?4`), key)
	return execute(p.integer(a.Number - limits.AttemptsMax).stmt)
}

// bindAttempt binds the columns of an attempt. Without a response, the last columns stay NULL.
func bindAttempt(p *parameters, a encodedAttempt) *parameters {
	p.integer(a.Number).text(a.ID).text(string(a.Trigger)).text(string(a.Outcome)).time(a.StartedAt)
	p.text(a.URL).text(string(a.Format)).boolean(a.Signed).boolean(a.Legacy).text(a.headerNames)
	p.duration(a.Timing.DNS).duration(a.Timing.Connect).duration(a.Timing.TLS)
	p.duration(a.Timing.FirstByte).duration(a.Timing.Total)
	p.text(string(a.ErrorClass)).text(a.ErrorMessage)
	if r := a.Response; r != nil {
		p.integer(r.Status).text(a.headers).bytes(r.Body).boolean(r.Truncated)
	}
	return p
}

// answerColumns is the number of columns that are NULL if there was no response.
const answerColumns = 4

// scanAttempt reads the columns of an attempt.
func scanAttempt(row *columns) (a delivery.Attempt, err error) {
	a.Number, a.ID = row.integer(), row.text()
	a.Trigger, a.Outcome, a.StartedAt = delivery.Trigger(row.text()), delivery.Outcome(row.text()), row.time()
	a.URL, a.Format, a.Signed, a.Legacy = row.text(), webhook.Format(row.text()), row.boolean(), row.boolean()
	if err := json.Unmarshal(row.bytes(), &a.HeaderNames); err != nil {
		return a, err
	}
	a.Timing = delivery.Timing{
		DNS: row.duration(), Connect: row.duration(), TLS: row.duration(),
		FirstByte: row.duration(), Total: row.duration(),
	}
	a.ErrorClass, a.ErrorMessage = delivery.ErrorClass(row.text()), row.text()
	if row.null(answerColumns) {
		return a, nil
	}
	a.Response = &delivery.Response{Status: row.integer()}
	var headers http.Header
	err = json.Unmarshal(row.bytes(), &headers)
	a.Response.Headers, a.Response.Body, a.Response.Truncated = recode(headers, bytesOf), row.bytes(), row.boolean()
	return a, err
}

// recode returns the headers with f applied to every name and value.
func recode(headers http.Header, f func(string) string) http.Header {
	recoded := make(http.Header, len(headers))
	for name, values := range headers {
		all := make([]string, len(values))
		for i, value := range values {
			all[i] = f(value)
		}
		recoded[f(name)] = all
	}
	return recoded
}

// latin1 returns the text whose n-th character is the n-th byte of raw, as in ISO 8859-1. JSON holds only valid UTF-8,
// but the header of a receiver may have any bytes.
func latin1(raw string) string {
	if ascii(raw) {
		return raw
	}
	text := make([]rune, len(raw))
	for i := range len(raw) {
		text[i] = rune(raw[i])
	}
	return string(text)
}

// bytesOf reverses latin1.
func bytesOf(text string) string {
	if ascii(text) {
		return text
	}
	raw := make([]byte, 0, len(text))
	for _, character := range text {
		raw = append(raw, byte(character))
	}
	return string(raw)
}

// ascii reports whether s has only ASCII characters. Almost all headers do, and need no conversion.
func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}
