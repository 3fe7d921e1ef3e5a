package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// schema has what each version of the schema adds to the one before: version 1 is the first. A
// migration runs once a database, under a lock. What has been released is never changed.
//
// All of it is partitioned by position, a UTC day each. The index on keys finds entries by
// recipient, queue id, Message-Id or session; those on entries by what has many values, or where a
// rare one should not need a walk over all days. A query that goes by a key never uses them
// (search.go).
func schema() []string {
	return []string{`
CREATE SEQUENCE mailweir_writers;
CREATE TABLE mailweir_entries (
	position bigint PRIMARY KEY, kind smallint NOT NULL, time timestamptz NOT NULL,
	id text NOT NULL, session text NOT NULL, transaction integer NOT NULL, host text NOT NULL,
	client inet, sender text NOT NULL, sender_domain text NOT NULL, login text NOT NULL,
	"check" text NOT NULL, mode text NOT NULL, action text NOT NULL, code smallint NOT NULL,
	fates integer NOT NULL, service text NOT NULL, direction text NOT NULL, shown text NOT NULL, rest text NOT NULL
) PARTITION BY RANGE (position);
CREATE INDEX ON mailweir_entries (left(id, 255)) WHERE id <> '';
CREATE INDEX ON mailweir_entries (client, position);
CREATE INDEX ON mailweir_entries (left(sender_domain, 255), position);
CREATE INDEX ON mailweir_entries (left("check", 255), position);
CREATE TABLE mailweir_keys (
	position bigint NOT NULL, kind smallint NOT NULL, value text NOT NULL
) PARTITION BY RANGE (position);
CREATE INDEX ON mailweir_keys (kind, value, position);
CREATE TABLE mailweir_counts (
	position bigint NOT NULL, minute timestamptz NOT NULL, host text NOT NULL, kind smallint NOT NULL,
	"check" text NOT NULL, mode text NOT NULL, action text NOT NULL, fate text NOT NULL, n bigint NOT NULL,
	PRIMARY KEY (minute, "check", kind, mode, action, fate, host, position)
) PARTITION BY RANGE (position);
CREATE TABLE mailweir_changes (
	position bigint PRIMARY KEY, time timestamptz NOT NULL, host text NOT NULL, operation text NOT NULL, by text NOT NULL, body text NOT NULL
) PARTITION BY RANGE (position);
CREATE TABLE mailweir_days (
	position bigint NOT NULL, host text NOT NULL, first timestamptz, last timestamptz,
	top bigint NOT NULL, entries bigint NOT NULL, left_out bigint NOT NULL, PRIMARY KEY (position, host)
);`}
}

// partitioned are the tables that have a partition a day.
var partitioned = [...]string{"entries", "keys", "counts", "changes"}

// NewerError says that a newer mailweir has changed the schema.
type NewerError struct{ Version int }

func (e *NewerError) Error() string {
	return fmt.Sprintf("the record in this database is of version %d, and this mailweir knows version %d: upgrade mailweir on this host", e.Version, len(schema()))
}

var (
	errTooOld   = errors.New("the record needs PostgreSQL 14 or later")
	errNoRecord = errors.New("there is no record in this database yet: mailweir serve with this --record makes it")
)

// Both advisory locks have a number of ours, and one of the schema that the tables are in: several
// records may share a database.
const (
	lockSchema = "pg_advisory_xact_lock(1835496818, hashtext(current_schema()))"
	lockRetain = "pg_try_advisory_lock(1835496819, hashtext(current_schema()))"
	unlock     = "pg_advisory_unlock(1835496819, hashtext(current_schema()))"
)

// prepare sees to it, once, that the schema is the one that this version works with.
func (s *Store) prepare(ctx context.Context) error {
	s.mu.Lock()
	ready := s.ready
	s.mu.Unlock()
	if ready {
		return nil
	}
	if err := s.migrate(ctx, schema()); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready = true
	return nil
}

// migrate carries out what a database lacks.
func (s *Store) migrate(ctx context.Context, steps []string) error {
	version, err := s.version(ctx)
	switch {
	case err != nil:
		return err
	case version > len(steps):
		return &NewerError{version}
	case version == 0 && s.options.ReadOnly:
		return errNoRecord
	case version == len(steps), s.options.ReadOnly: // what is older is read all the same
		return nil
	}
	return s.within(ctx, func(tx pgx.Tx) error {
		// Whoever waits here reads the version after the one who holds the lock.
		if _, err := tx.Exec(ctx, "SELECT "+lockSchema+"; CREATE TABLE IF NOT EXISTS mailweir_version (version integer NOT NULL)"); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM mailweir_version").Scan(&version); err != nil {
			return err
		}
		for ; version < len(steps); version++ {
			if _, err := tx.Exec(ctx, steps[version]); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, "DELETE FROM mailweir_version; INSERT INTO mailweir_version VALUES ("+strconv.Itoa(version)+")")
		return err
	})
}

// version is that of the schema, 0 where there is none.
func (s *Store) version(ctx context.Context) (version int, err error) {
	var server int
	var there bool
	if err := s.pool.QueryRow(ctx, "SELECT current_setting('server_version_num')::int, to_regclass('mailweir_version') IS NOT NULL").Scan(&server, &there); err != nil {
		return 0, err
	}
	if server < 140000 {
		return 0, errTooOld
	}
	if there {
		err = s.pool.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM mailweir_version").Scan(&version)
	}
	return version, err
}

func joinLines(s string) string { return strings.Join(strings.Fields(s), " ") }
