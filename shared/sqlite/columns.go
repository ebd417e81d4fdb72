package sqlite

import (
	"strconv"
	"strings"
	"time"

	"nepenthes/shared/store"

	"zombiezen.com/go/sqlite"
)

// execute runs a statement that gives no rows.
func execute(stmt *sqlite.Stmt) error {
	_, err := stmt.Step()
	return err
}

// first calls take with the statement's first row, and reports whether there is one.
func first(stmt *sqlite.Stmt, take func(row *columns) error) (found bool, err error) {
	if found, err = stmt.Step(); err != nil || !found {
		return false, err
	}
	if err := take(&columns{stmt: stmt}); err != nil {
		return false, err
	}
	return true, stmt.Reset()
}

// nothing is for a statement of which only counts whether it has a row.
func nothing(*columns) error { return nil }

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

// columns reads a row, one column after the other, so that a list of columns is written down once for writing and
// for reading.
type columns struct {
	stmt *sqlite.Stmt
	next int
}

func (c *columns) column() int {
	c.next++
	return c.next - 1
}

func (c *columns) text() string { return c.stmt.ColumnText(c.column()) }

func (c *columns) number() int64 { return c.stmt.ColumnInt64(c.column()) }

func (c *columns) integer() int { return int(c.number()) }

func (c *columns) duration() time.Duration { return time.Duration(c.number()) }

func (c *columns) boolean() bool { return c.number() != 0 }

func (c *columns) time() time.Time {
	column := c.column()
	if c.stmt.ColumnIsNull(column) {
		return time.Time{}
	}
	return time.Unix(0, c.stmt.ColumnInt64(column)).UTC()
}

func (c *columns) bytes() []byte {
	column := c.column()
	value := make([]byte, c.stmt.ColumnLen(column))
	c.stmt.ColumnBytes(column, value)
	return value
}

// array reads bytes of a known length into value.
func (c *columns) array(value []byte) { c.stmt.ColumnBytes(c.column(), value) }

// null reports whether the next column is NULL, without reading it. If so it passes over it and the columns after
// it that belong to it, width in all.
func (c *columns) null(width int) bool {
	if !c.stmt.ColumnIsNull(c.next) {
		return false
	}
	c.next += width
	return true
}

// parameters binds a statement's parameters, one after the other. What is not bound is NULL.
type parameters struct {
	stmt *sqlite.Stmt
	last int
}

// bind prepares a query for its parameters.
func bind(conn *sqlite.Conn, query string) *parameters { return &parameters{stmt: conn.Prep(query)} }

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

func (p *parameters) time(value time.Time) *parameters {
	if value.IsZero() {
		return p.null(1)
	}
	return p.number(store.UnixNano(value))
}

// instant is a time that is never NULL: an expiry or the present, which are compared. The zero time is long past.
func (p *parameters) instant(value time.Time) *parameters { return p.number(store.UnixNano(value)) }

// null leaves parameters out.
func (p *parameters) null(width int) *parameters {
	p.last += width
	return p
}

// numbered lists the parameters ?from, ?from+1 … for as many columns as the list names.
func numbered(from int, list string) string {
	names := make([]string, strings.Count(list, ",")+1)
	for i := range names {
		names[i] = "?" + strconv.Itoa(from+i)
	}
	return strings.Join(names, ", ")
}
