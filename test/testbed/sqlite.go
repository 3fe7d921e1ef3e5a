package testbed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// SQLite is a database in a file. It has no server: while it is stopped the file is not there.
type SQLite struct {
	Path string
	tb   TB
}

// StartSQLite makes an empty database.
func StartSQLite(tb TB) *SQLite {
	tb.Helper()
	Require(tb, "sqlite")
	s := &SQLite{Path: filepath.Join(TempDir(tb), "mail.db"), tb: tb}
	if err := s.Do("PRAGMA user_version = 1"); err != nil {
		tb.Fatalf("%v", err)
	}
	return s
}

// Do carries out statements of SQL.
func (s *SQLite) Do(statements string) error {
	cmd := exec.Command("sqlite3", "-bail", s.Path)
	cmd.Stdin = strings.NewReader(statements)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("sqlite3: %w\n%s", err, out)
	}
	return nil
}

func (s *SQLite) aside() string { return s.Path + ".aside" }

// Stop puts the file aside.
func (s *SQLite) Stop() error { return os.Rename(s.Path, s.aside()) }

// Start puts it back.
func (s *SQLite) Start() {
	s.tb.Helper()
	if err := os.Rename(s.aside(), s.Path); err != nil {
		s.tb.Fatalf("%v", err)
	}
}

// Pause leaves the file where it is, empty: what is no database answers nothing.
func (s *SQLite) Pause() {
	if s.Stop() == nil {
		_ = os.WriteFile(s.Path, []byte(strings.Repeat("not a database ", 100)), 0o644)
	}
}

// Resume puts the file back.
func (s *SQLite) Resume() { s.Start() }
