package files

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// version is the version of a day's file, its user_version. migrations brings one of an earlier
// version to the next: the first is for version 1.
const version = 1

var migrations = [version - 1]string{}

// schema is that of the newest version. An index costs every row a page of its own at a random
// place, so there are few. One on a column of few values, such as the check, or on the time would
// make the planner choose it where it must not.
const schema = `
CREATE TABLE entry (
	position INTEGER PRIMARY KEY, kind INTEGER NOT NULL, time INTEGER NOT NULL,
	id TEXT, session TEXT, number INTEGER, host TEXT, client TEXT, net BLOB,
	sender TEXT, sender_domain TEXT, login TEXT, check_name TEXT, mode TEXT, action TEXT, code INTEGER,
	fates INTEGER, service TEXT, direction TEXT, shown TEXT, rest TEXT NOT NULL);
CREATE INDEX entry_id ON entry (id) WHERE id IS NOT NULL;
CREATE INDEX entry_net ON entry (net) WHERE net IS NOT NULL;
CREATE INDEX entry_sender ON entry (sender_domain) WHERE sender_domain IS NOT NULL;
CREATE TABLE found (kind INTEGER, value TEXT, position INTEGER, PRIMARY KEY (kind, value, position)) WITHOUT ROWID;
CREATE TABLE change (
	position INTEGER PRIMARY KEY, time INTEGER NOT NULL, operation TEXT NOT NULL, by TEXT NOT NULL, rest TEXT NOT NULL);
CREATE TABLE rollup (
	minute INTEGER, kind INTEGER, check_name TEXT, mode TEXT, action TEXT, fate TEXT, n INTEGER NOT NULL,
	PRIMARY KEY (minute, kind, check_name, mode, action, fate)) WITHOUT ROWID;
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
`

// The values in the table meta.
const (
	metaEntries  = "entries"  // how many there are
	metaLate     = "late"     // microseconds by which a position is later than the time of its entry, at most
	metaAccepted = "accepted" // accepted messages that were left out
	metaQueries  = "queries"  // decisions whose queries were left out
	metaEvents   = "events"   // entries that were left out altogether
)

// dsn names a database for the driver.
func dsn(path, mode string, pragmas ...string) string {
	options := url.Values{"mode": {mode}, "_pragma": pragmas}
	if mode != "ro" {
		options.Set("_txlock", "immediate")
		// Comes behind the pragmas: from then on the file has its page size.
		options.Set("_journal_mode", "WAL")
	}
	name := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: options.Encode()}
	return name.String()
}

// openWriter opens a day's file for its writer, and makes it where it does not exist. A row of an
// accepted message takes more than 2 KiB: of the usual pages of 4 KiB each would fill one, half
// empty.
func openWriter(ctx context.Context, path string) (*sql.DB, error) {
	if err := makeFile(path); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", dsn(path, "rwc",
		"page_size(8192)", "synchronous(NORMAL)", "secure_delete(ON)", "busy_timeout(5000)", "cache_size(-16384)",
		"wal_autocheckpoint(2000)", "journal_size_limit(16777216)"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if err := migrate(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// migrate brings a file to the newest version, in one commit.
func migrate(ctx context.Context, db *sql.DB) error {
	have, err := versionOf(ctx, db)
	if err != nil || have == version {
		return err
	}
	if have > version {
		return newerError{have}
	}
	steps := []string{schema}
	if have > 0 {
		steps = migrations[have-1:]
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for _, step := range append(steps, fmt.Sprintf("PRAGMA user_version = %d", version)) {
		if _, err := tx.ExecContext(ctx, step); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}

func versionOf(ctx context.Context, db *sql.DB) (have int, err error) {
	err = db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have)
	return have, err
}

// newerError is about a file of a later mailweir.
type newerError struct{ version int }

func (e newerError) Error() string {
	return fmt.Sprintf("it is of version %d, this mailweir knows %d: it was written by a later one", e.version, version)
}

// openReader opens a day's file for reading. Readers hold up no writer.
func openReader(path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", dsn(path, "ro", "query_only(1)", "busy_timeout(2000)", "cache_size(-1024)"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(readersPerDay)
	db.SetMaxIdleConns(1)
	db.SetConnMaxIdleTime(time.Minute)
	return db, nil
}

// readersPerDay bounds how many read a day at once.
const readersPerDay = 4

// code is SQLite's code of an error, without what makes it special; 0 for other errors.
func code(err error) int {
	var said *sqlite.Error
	if errors.As(err, &said) {
		return said.Code() & 0xff
	}
	return 0
}

// damaged reports whether an error says that the file is none, or not one that can be read.
func damaged(err error) bool {
	var newer newerError
	c := code(err)
	return c == sqlite3.SQLITE_CORRUPT || c == sqlite3.SQLITE_NOTADB || errors.As(err, &newer)
}

// denied reports whether an error says that this user may not read. It opens nothing: to close a
// file of SQLite's beside it would take its locks away (fcntl(2), F_SETLK).
func denied(path string, err error) error {
	if err != nil && errors.Is(unix.Access(path, unix.R_OK), fs.ErrPermission) {
		return fmt.Errorf("%s: %w", filepath.Base(path), fs.ErrPermission)
	}
	return err
}
