package testbed

import "testing"

// Both servers carry out SQL, and find their data again after they were stopped or killed.
func TestDatabasesKeepData(t *testing.T) {
	const statements = "CREATE TABLE t (a int); INSERT INTO t VALUES (1);"
	t.Run("mariadb", func(t *testing.T) {
		t.Parallel()
		m := StartMariaDB(t)
		keepsData(t, m.Do, func() error { return m.Process.Stop() }, m.Start, statements)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		p := StartPostgres(t)
		keepsData(t, p.Do, p.Stop, p.Start, statements)
	})
}

func keepsData(t *testing.T, do func(string) error, stop func() error, start func(), statements string) {
	t.Helper()
	if err := do(statements); err != nil {
		t.Fatal(err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if err := do("SELECT a FROM t"); err == nil {
		t.Fatal("a server that was stopped answers")
	}
	start()
	if err := do("SELECT a FROM t"); err != nil {
		t.Fatal(err)
	}
	if err := do("SELECT b FROM t"); err == nil {
		t.Fatal("a wrong statement is no error")
	}
}
