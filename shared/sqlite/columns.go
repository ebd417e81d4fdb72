package sqlite

import (
	"strconv"
	"strings"
	"time"

	"nepenthes/shared/store"

	"zombiezen.com/go/sqlite"
)

// execute runs a statement that returns no rows.
func execute(stmt *sqlite.Stmt) error {
	_, err := stmt.Step()
	return err
}

// first calls take with the first row of the statement, if there is one. found reports whether there is one.
func first(stmt *sqlite.Stmt, take func(row *columns) error) (found bool, err error) {
	if found, err = stmt.Step(); err != nil || !found {
		return false, err
	}
	if err := take(&columns{stmt: stmt}); err != nil {
		return false, err
	}
	return true, stmt.Reset()
}

// ignoreRow is passed to first if only found matters.
func ignoreRow(*columns) error { return nil }

// each calls take with every row of the statement.
func each(stmt *sqlite.Stmt, take func(row *columns) error) error {
	for {
		if found, err := stmt.Step(); err != nil || !found {
			return err
		}
		if err := take(&columns{stmt: stmt}); err != nil {
			return err
		}
	}
}

// columns reads a row, one column after another. So the list of columns is the same for writing and for reading.
type columns struct {
	stmt *sqlite.Stmt
	next int
}

// column returns the index of the next column and moves on.
func (c *columns) column() int {
	c.next++
	return c.next - 1
}

func (c *columns) text() string { return c.stmt.ColumnText(c.column()) }

func (c *columns) number() int64 { return c.stmt.ColumnInt64(c.column()) }

func (c *columns) integer() int { return int(c.number()) }

func (c *columns) duration() time.Duration { return time.Duration(c.number()) }

func (c *columns) boolean() bool { return c.number() != 0 }

// time reads a time. NULL is the zero time.
func (c *columns) time() time.Time {
	column := c.column()
	if c.stmt.ColumnIsNull(column) {
		return time.Time{}
	}
	return time.Unix(0, c.stmt.ColumnInt64(column)).UTC()
}

// bytes returns a copy, because SQLite reuses its memory for the next row.
func (c *columns) bytes() []byte {
	column := c.column()
	value := make([]byte, c.stmt.ColumnLen(column))
	c.stmt.ColumnBytes(column, value)
	return value
}

// array reads bytes of a known length into value.
func (c *columns) array(value []byte) { c.stmt.ColumnBytes(c.column(), value) }

// null reports whether the next column is NULL. If it is, null skips width columns: those that are NULL together.
func (c *columns) null(width int) bool {
	if !c.stmt.ColumnIsNull(c.next) {
		return false
	}
	c.next += width
	return true
}

// parameters binds the parameters of a statement, one after another. A parameter that is not bound is NULL.
type parameters struct {
	stmt *sqlite.Stmt
	last int
}

// bind prepares a query whose parameters are then bound.
func bind(conn *sqlite.Conn, query string) *parameters { return &parameters{stmt: conn.Prep(query)} }

// parameter returns the number of the next parameter and moves on.
func (p *parameters) parameter() int {
	p.last++
	return p.last
}

func (p *parameters) text(value string) *parameters {
	p.stmt.BindText(p.parameter(), value)
	return p
}

func (p *parameters) number(value int64) *parameters {
	p.stmt.BindInt64(p.parameter(), value)
	return p
}

func (p *parameters) integer(value int) *parameters { return p.number(int64(value)) }

func (p *parameters) duration(value time.Duration) *parameters { return p.number(int64(value)) }

func (p *parameters) boolean(value bool) *parameters {
	p.stmt.BindBool(p.parameter(), value)
	return p
}

func (p *parameters) bytes(value []byte) *parameters {
	p.stmt.BindBytes(p.parameter(), value)
	return p
}

// time binds a time, or NULL for the zero time.
func (p *parameters) time(value time.Time) *parameters {
	if value.IsZero() {
		return p.null(1)
	}
	return p.number(store.UnixNano(value))
}

// instant binds a time that is compared, such as an expiry or the current time. Unlike time, it does not bind the zero
// time as NULL, but as a time long ago.
func (p *parameters) instant(value time.Time) *parameters { return p.number(store.UnixNano(value)) }

// null leaves width parameters NULL.
func (p *parameters) null(width int) *parameters {
	p.last += width
	return p
}

// numbered returns the parameters ?from, ?from+1 and so on, as many as there are columns in list.
func numbered(from int, list string) string {
	names := make([]string, strings.Count(list, ",")+1)
	for i := range names {
		names[i] = "?" + strconv.Itoa(from+i)
	}
	return strings.Join(names, ", ")
}
