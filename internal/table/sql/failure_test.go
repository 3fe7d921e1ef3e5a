package sql

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mailweir/internal/table/remote"
	"mailweir/test/testbed"
)

// fails asks for a key that Postfix fails for as well. The error is the server's answer: nobody is
// to take the server for lost.
func (b bed) fails(t *testing.T, name, lines, key, want string) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		file := b.file(t, lines)
		if got := b.postmapOne(t, file, key); got != "error" {
			t.Errorf("postmap: %s", got)
		}
		_, found, err := find(t, b.open(t, file), key)
		if found || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("found %v, %v; want %q", found, err, want)
		}
		if a := new(remote.Answered); !errors.As(err, a) {
			t.Errorf("%v takes the server for lost", err)
		}
	})
}

func TestMariaDBFails(t *testing.T) {
	t.Parallel()
	b, m := mariaDB(t)
	b.must(t, entries+"DELIMITER //\nCREATE PROCEDURE two() BEGIN SELECT 1; SELECT 2; END//\nCREATE PROCEDURE none() DO 0//")
	b.fails(t, "syntax", "query = SELEKT '%s'", "bob", "SQL syntax")
	b.fails(t, "no table", "query = SELECT v FROM nowhere WHERE k = '%s'", "bob", "doesn't exist")
	b.fails(t, "expansion_limit", "query = SELECT v FROM t WHERE k = '%s'\nexpansion_limit = 2", "multi@example.org", "more than 2 values")
	b.fails(t, "two result sets", "query = CALL two() -- '%%'", "bob", "more than one result set")
	b.fails(t, "no result set", "query = CALL none()", "bob", "no result set")
	b.fails(t, "at run time", "query = SELECT v FROM t WHERE k = (SELECT k FROM t)", "bob", "more than 1 row")
	large := b.open(t, b.file(t, "query = SELECT REPEAT('x', 3000000)"))
	if _, _, err := find(t, large, "bob"); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("a large answer: %v", err)
	}

	// The connection that has failed answers the next question, and not the last one.
	d := b.open(t, b.file(t, "query = CALL two() -- '%%'"))
	for range 3 {
		if _, _, err := find(t, d, "bob"); err == nil {
			t.Error("two result sets")
		}
	}

	b.account = strings.Replace(b.account, "secret", "wr0ng", 1)
	lost(t, b.open(t, b.file(t, query_)), "Access denied")
	b.account = strings.Replace(b.account, "wr0ng", "secret", 1)
	if err := m.Process.Stop(); err != nil {
		t.Fatal(err)
	}
	lost(t, b.open(t, b.file(t, query_)), "no such file")
}

// lost asks a server that does not answer.
func lost(t *testing.T, d remote.Driver, want string) {
	t.Helper()
	_, found, err := find(t, d, "bob")
	if a := new(remote.Answered); found || err == nil || errors.As(err, a) || !strings.Contains(err.Error(), want) {
		t.Errorf("found %v, %v; want %q", found, err, want)
	}
	if err != nil && (strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "wr0ng") || strings.Contains(err.Error(), "\n")) {
		t.Errorf("the error shows a password, or is of several lines: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := d.Probe(ctx); err == nil {
		t.Error("a probe finds it answering")
	}
	if text, _, err := d.Inspect(ctx); err == nil {
		t.Errorf("inspected: %s", text)
	}
}

func TestPostgresFails(t *testing.T) {
	t.Parallel()
	b, p := postgres(t)
	b.must(t, entries)
	b.fails(t, "syntax", "query = SELEKT '%s'", "bob", "syntax error")
	b.fails(t, "no table", "query = SELECT v FROM nowhere WHERE k = '%s'", "bob", "does not exist")
	b.fails(t, "expansion_limit", "query = SELECT v FROM t WHERE k = '%s'\nexpansion_limit = 2", "multi@example.org", "more than 2 values")
	b.fails(t, "at run time", "query = SELECT 1 / length('%s')/0", "bob", "division by zero")
	b.fails(t, "like", "query = SELECT v FROM t WHERE k LIKE '%s'", `\`, "LIKE pattern")
	large := b.open(t, b.file(t, "query = SELECT repeat('x', 1000) FROM generate_series(1, 3000)"))
	if _, _, err := find(t, large, "bob"); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("a large answer: %v", err)
	}
	huge := b.open(t, b.file(t, "query = SELECT repeat('x', 3000000)"))
	if _, _, err := find(t, huge, "bob"); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("a huge answer: %v", err)
	}

	b.account = strings.Replace(b.account, "secret", "wr0ng", 1)
	lost(t, b.open(t, b.file(t, query_)), "password authentication failed")
	uri := bed{kind: b.kind, account: "hosts = postgresql://mail:wr0ng@" + p.Address + "/mail\n"}
	lost(t, uri.open(t, uri.file(t, query_)), "password authentication failed")
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	lost(t, uri.open(t, uri.file(t, query_)), "refused")
}

func TestSQLiteFails(t *testing.T) {
	t.Parallel()
	b, _ := sqliteFile(t)
	b.must(t, entries)
	b.fails(t, "syntax", "query = SELEKT '%s'", "bob", "syntax error")
	b.fails(t, "no table", "query = SELECT v FROM nowhere WHERE k = '%s'", "bob", "no such table")
	b.fails(t, "expansion_limit", "query = SELECT v FROM t WHERE k = '%s'\nexpansion_limit = 2", "multi@example.org", "more than 2 values")
	b.fails(t, "at run time", "query = SELECT abs(-9223372036854775808) WHERE '%s' <> ''", "bob", "integer overflow")
	none := bed{kind: SQLite(), account: "dbpath = " + filepath.Join(t.TempDir(), "none") + "\n"}
	lost(t, none.open(t, none.file(t, query_)), "no such file")
	text := bed{kind: SQLite(), account: "dbpath = /etc/passwd\n"}
	lost(t, text.open(t, text.file(t, query_)), "not a database")
}

// A server that was restarted has closed what was open: nobody hears of that.
func TestRestart(t *testing.T) {
	t.Parallel()
	m, mdb := mariaDB(t)
	p, pdb := postgres(t)
	for _, s := range []struct {
		bed
		server interface {
			Stop() error
			Start()
			Pause()
			Resume()
		}
	}{{m, mdb}, {p, pdb}} {
		t.Run(s.kind.Name, func(t *testing.T) {
			s.must(t, canary)
			d := s.open(t, s.file(t, "query = SELECT v FROM canary WHERE k = '%s'"))
			together(t, d, 8)
			if err := s.server.Stop(); err != nil {
				t.Fatal(err)
			}
			s.server.Start()
			together(t, d, 8)
			if err := d.Probe(t.Context()); err != nil {
				t.Error(err)
			}
			// One that hangs costs the time that there is, and works again.
			s.server.Pause()
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			if _, _, err := d.Find(ctx, "tweety"); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no answer") {
				t.Errorf("a server that hangs: %v", err)
			}
			s.server.Resume()
			together(t, d, 2)
		})
	}
}

// What is entered is found at once, whatever the server makes of transactions.
func TestMariaDBWithoutAutocommit(t *testing.T) {
	b, _ := mariaDB(t, "--autocommit=0", "--transaction-isolation=REPEATABLE-READ")
	b.must(t, strings.TrimSuffix(canary, ";")+"; COMMIT;")
	d := b.open(t, b.file(t, "query = SELECT v FROM canary WHERE k = '%s'"))
	together(t, d, 1)
	b.must(t, "INSERT INTO canary VALUES ('new', 'born'); COMMIT;")
	if got := answer(find(t, d, "new")); got != "= born" {
		t.Errorf("what was entered: %s", got)
	}
}

// together asks so many times at once.
func together(t *testing.T, d *table, n int) {
	t.Helper()
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			if value, _, err := find(t, d, "tweety"); value != "alive" || err != nil {
				t.Errorf("%q, %v", value, err)
			}
		})
	}
	all.Wait()
}

// A server that takes fewer connections than there are questions makes them wait for each other.
func TestTooManyConnections(t *testing.T) {
	t.Run("mysql", func(t *testing.T) {
		b, _ := mariaDB(t)
		b.must(t, canary+"ALTER USER mail WITH MAX_USER_CONNECTIONS 2")
		d := b.open(t, b.file(t, "query = SELECT v FROM canary WHERE k = '%s' AND SLEEP(0.01) = 0"))
		together(t, d, poolSize)
		b.must(t, "ALTER USER mail WITH MAX_USER_CONNECTIONS 0; SET GLOBAL max_connections = 10")
		other := b.open(t, b.file(t, "query = SELECT v FROM canary WHERE k = '%s' AND SLEEP(0.01) = 0"))
		together(t, other, poolSize)
	})
	t.Run("pgsql", func(t *testing.T) {
		b, _ := postgres(t)
		b.must(t, canary+"ALTER ROLE mail CONNECTION LIMIT 2")
		together(t, b.open(t, b.file(t, "query = SELECT v FROM canary, pg_sleep(0.01) WHERE k = '%s'")), poolSize)
	})
}

// Hosts that do not answer leave time for those that do: connecting is refused, or nothing is ever
// said, half an answer comes, or rubbish.
func TestHosts(t *testing.T) {
	t.Parallel()
	m, _ := mariaDB(t)
	p, _ := postgres(t)
	for _, b := range []bed{m, p} {
		b.must(t, canary)
		for name, say := range map[string]string{"silent": "", "rubbish": "HTTP/1.1 400 Bad Request\r\n\r\n", "zeros": strings.Repeat("\x00", 4096), "huge": "\xff\xff\xff\x00\x0a5.5.5", "closes": "close"} {
			t.Run(b.kind.Name+"/"+name, func(t *testing.T) {
				t.Parallel()
				address := fake(t, say)
				b := b
				b.account = strings.Replace(b.account, "hosts = ", "hosts = "+address+", ", 1)
				d := b.open(t, b.file(t, "query = SELECT v FROM canary WHERE k = '%s'"))
				// The order is not left to chance.
				d.hosts[0].rank, d.hosts[1].rank = 0, 1
				ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
				defer cancel()
				if value, _, err := d.Find(ctx, "tweety"); value != "alive" || err != nil {
					t.Fatalf("%q, %v", value, err)
				}
				if first := d.order()[0]; first.name == address {
					t.Error("the one that has failed comes first again")
				}
				ctx, cancel = context.WithTimeout(t.Context(), 4*time.Second)
				defer cancel()
				text, remarks, err := d.Inspect(ctx)
				if err != nil || len(remarks) != 1 || !strings.Contains(remarks[0], address) || strings.Contains(text, address) {
					t.Errorf("inspected: %q, %q, %v", text, remarks, err)
				}
			})
		}
	}
}

// fake listens, says something to each client, and nothing more.
func fake(t *testing.T, say string) string {
	t.Helper()
	l, err := net.Listen("tcp4", testbed.FreeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if say == "close" {
				_ = c.Close()
				continue
			}
			_, _ = c.Write([]byte(say))
			t.Cleanup(func() { _ = c.Close() })
		}
	}()
	return l.Addr().String()
}
