package sql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"mailweir/internal/table/remote"
)

// SQLite is the type sqlite.
func SQLite() remote.Kind {
	return remote.Kind{Name: "sqlite", File: true, InFlight: poolSize, Open: openSQLite}
}

// sqliteTable is what the sessions of one file have in common.
type sqliteTable struct {
	*config
	path   string // dbpath
	quotes []byte // of the query
}

// sqlitePatience is how long a question waits for somebody who writes.
const sqlitePatience = 2 * time.Second

func sqliteLexis() lexis { return lexis{backtick: true, bracket: true} }

func openSQLite(source remote.Source) (remote.Driver, error) {
	f := source.File
	t := &sqliteTable{config: readConfig(f, false), path: f.String("dbpath", "")}
	switch {
	case t.path == "":
		f.Errorf("dbpath", "is missing; it is the path of the database")
	case !filepath.IsAbs(t.path):
		f.Errorf("dbpath", "%q is not a whole path", t.path)
	}
	t.quotes = t.scan(sqliteLexis(), true)
	if err := f.Err(); err != nil {
		return nil, err
	}
	h := &host{name: t.path, dial: t.dial}
	return &table{t.config, newPool([]*host{h}, time.Minute, time.Minute)}, nil
}

// dial opens the database for reading. A file that does not exist is not made.
func (t *sqliteTable) dial(context.Context) (session, error) {
	state, err := os.Stat(t.path)
	if err != nil {
		return nil, err
	}
	options := url.Values{"mode": {"ro"}, "_pragma": {fmt.Sprintf("busy_timeout(%d)", sqlitePatience.Milliseconds())}}
	name := url.URL{Scheme: "file", OmitHost: true, Path: t.path, RawQuery: options.Encode()}
	conn, err := new(sqlite.Driver).Open(name.String())
	if err != nil {
		return nil, t.hint(err)
	}
	return &sqliteSession{t, conn, state}, nil
}

// sqliteSession is the database, opened.
type sqliteSession struct {
	*sqliteTable
	conn  driver.Conn
	state os.FileInfo // of the file that is open
}

func (s *sqliteSession) find(ctx context.Context, key string) ([]string, error) {
	statement := s.statement(key, s.quotes, func(part string, _ byte) string { return strings.ReplaceAll(part, "'", "''") })
	return s.rows(ctx, statement)
}

func (s *sqliteSession) ping(ctx context.Context) (string, error) {
	rows, err := s.rows(ctx, "SELECT sqlite_version() FROM (SELECT count(*) FROM sqlite_schema)") // reads the file
	return "SQLite " + strings.Join(rows, " "), err
}

// fresh reports whether the file is still the one that was opened: who replaces it wants that one
// to be read.
func (s *sqliteSession) fresh() bool {
	state, err := os.Stat(s.path)
	return err == nil && os.SameFile(state, s.state)
}

func (s *sqliteSession) close() { _ = s.conn.Close() }

// rows carries out a statement and returns the values of the first column, as Postfix does.
func (s *sqliteSession) rows(ctx context.Context, statement string) ([]string, error) {
	asker, ok := s.conn.(driver.QueryerContext)
	if !ok {
		return nil, errors.New("the driver takes no statement as it is")
	}
	rows, err := asker.QueryContext(ctx, statement, nil)
	if err != nil {
		return nil, s.failure(ctx, err)
	}
	defer rows.Close()
	if len(rows.Columns()) == 0 {
		return nil, nil
	}
	var found values
	row := make([]driver.Value, len(rows.Columns()))
	for {
		switch err := rows.Next(row); {
		case errors.Is(err, io.EOF):
			return found.list, nil
		case err != nil:
			return nil, s.failure(ctx, err)
		case row[0] == nil:
			continue
		}
		text, err := sqliteText(row[0])
		if err == nil {
			err = found.add(text)
		}
		if err != nil {
			return nil, err
		}
	}
}

// sqliteText is a value as sqlite3_column_text writes it. The driver makes numbers and times of
// columns that are declared so.
func sqliteText(value driver.Value) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case []byte:
		return string(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		digits, exponent, long := strings.Cut(strconv.FormatFloat(v, 'g', 15, 64), "e")
		if !strings.ContainsAny(digits, ".IN") {
			digits += ".0"
		}
		if long {
			digits += "e" + exponent
		}
		return digits, nil
	}
	return "", remote.Answered{Err: errors.New("the column is declared as a time; write CAST(… AS TEXT) in the query")}
}

// failure is the error of a statement: those of SQL itself, and of a database that somebody is
// writing to, are answers.
func (s *sqliteSession) failure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("no answer to the query: %w", ctx.Err())
	}
	var said *sqlite.Error
	if errors.As(err, &said) && isAnswer(said.Code()) {
		return remote.Answered{Err: err}
	}
	return s.hint(err)
}

// isAnswer reports whether an error code speaks of the statement or the moment, and not of the
// file.
func isAnswer(code int) bool {
	switch code & 0xff {
	case sqlite3.SQLITE_ERROR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH,
		sqlite3.SQLITE_RANGE, sqlite3.SQLITE_CONSTRAINT:
		return true
	}
	return code == sqlite3.SQLITE_READONLY // what is more special is about the file
}

// hint adds to an error what may be the cause: a database with a write-ahead log cannot be read
// where its directory cannot be written to.
func (t *sqliteTable) hint(err error) error {
	var said *sqlite.Error
	if !errors.As(err, &said) || said.Code()&0xff != sqlite3.SQLITE_CANTOPEN && said.Code()&0xff != sqlite3.SQLITE_READONLY || !t.writesAhead() {
		return err
	}
	return fmt.Errorf("%w; it has a write-ahead log, which needs a directory that mailweir may write to; PRAGMA journal_mode=DELETE does without", err)
}

// writesAhead reports whether the file's header says that it has a write-ahead log (Database File
// Format, 1.3.3).
func (t *sqliteTable) writesAhead() bool {
	f, err := os.Open(t.path)
	if err != nil {
		return false
	}
	defer f.Close()
	header := make([]byte, 20)
	_, err = io.ReadFull(f, header)
	return err == nil && header[18] == 2
}
