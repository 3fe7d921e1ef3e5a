package passwords

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"
)

// entry is a line of a file; its hash is cheap.
func entry(login, password string) string {
	a := argon{kib: 8, passes: 1, lanes: 1, salt: []byte("saltsalt"), tag: make([]byte, 16)}
	a.tag = argon2.IDKey([]byte(password), a.salt, a.passes, a.kib, a.lanes, 16)
	return login + ":" + a.String() + "\n"
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	if !filepath.IsAbs(name) {
		name = filepath.Join(t.TempDir(), name)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func right(f *File, login, password string) bool { return f.Find(login).Matches([]byte(password)) }

func TestFile(t *testing.T) {
	path := write(t, "passwd", "# logins\n\n"+entry("Alice", "one")+strings.TrimSuffix(entry("bob@example.org", "two"), "\n")+"::::/home/bob::userdb_quota=1\r\n")
	f, err := Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if f.Len() != 2 {
		t.Errorf("%d entries", f.Len())
	}
	for _, c := range []struct {
		login, password string
		want, known     bool
	}{
		{"alice", "one", true, true},
		{"ALICE", "one", true, true},
		{"alice", "two", false, true},
		{"alice", "", false, true},
		{"alice", "One", false, true},
		{"bob@example.org", "two", true, true},
		{"Bob@Example.Org", "two", true, true},
		{"bob", "two", false, false},
		{"carol", "one", false, false},
		{"", "", false, false},
		{"# logins", "", false, false},
		{"alice:", "one", false, false},
		{"alice\x00", "one", false, false},
	} {
		e := f.Find(c.login)
		if e.Known() != c.known || e.Matches([]byte(c.password)) != c.want || e.Memory() != 8<<10 {
			t.Errorf("%q, %q: known %t, want %t and %t; %d octets", c.login, c.password, e.Known(), c.known, c.want, e.Memory())
		}
	}
}

// Every guess at a file does the same work, whatever its login: that of each cost in it, or that of
// a new entry where there is none.
func TestSameWork(t *testing.T) {
	const bcrypt = "carol:{BLF-CRYPT}$2y$04$abcdefghijklmnopqrstuABCDEFGHIJKLMNOPQRSTUVWXYZ012345\n"
	const micro = time.Microsecond
	for _, c := range []struct {
		name, text string
		want       time.Duration
	}{
		{"an empty file", "", time.Duration(usual().effort()) * micro},
		{"one", entry("alice", "x"), 8 * micro},
		{"two alike", entry("alice", "x") + entry("bob", "y"), 8 * micro},
		{"two schemes", entry("alice", "x") + bcrypt, (8 + 60<<4) * micro},
		{"the other way round", bcrypt + entry("alice", "x"), (8 + 60<<4) * micro},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := Open(write(t, "passwd", c.text), nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, login := range []string{"alice", "carol", "nobody", "no login"} {
				e := f.Find(login)
				done := map[string]int{}
				for cost, h := range e.dummies {
					e.dummies[cost] = counted{h, done}
				}
				if e.line.hash != nil {
					e.line.hash = counted{e.line.hash, done}
				}
				e.Matches([]byte("x"))
				for cost, h := range e.dummies {
					if done[cost] != 1 {
						t.Errorf("%s: %s is done %d times", login, cost, done[cost])
					}
					e.dummies[cost] = h.(counted).hash
				}
				if got := e.Effort(); got != c.want {
					t.Errorf("%s: effort %s, want %s", login, got, c.want)
				}
			}
		})
	}
}

// counted counts the work by its cost.
type counted struct {
	hash
	done map[string]int
}

func (c counted) matches(password []byte) bool {
	c.done[c.cost()]++
	return c.hash.matches(password)
}

// Where both schemes stand in a file, each login has its own password.
func TestTwoSchemes(t *testing.T) {
	const bob = "bob:{BLF-CRYPT}$2y$04$rHBYjzD8jWSj/qGZEKJ2Xu6trPGLQxadmtgLI7yQX8Jygvog.Rjti\n"
	f, err := Open(write(t, "passwd", entry("alice", "one")+bob), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !right(f, "alice", "one") || !right(f, "bob", "secret") || right(f, "alice", "secret") || right(f, "bob", "one") || right(f, "carol", "one") {
		t.Error("a password is looked at by the entry of another")
	}
}

func TestFileErrors(t *testing.T) {
	good := entry("alice", "one")
	for _, c := range []struct{ name, text, want string }{
		{"no colon", good + "geheim\n", "passwd:2: there is no colon"},
		{"no hash", good + "\nbob:geheim\n", "passwd:3: behind the login stands no {SCHEME}"},
		{"no login", ":{PLAIN}geheim\n", "passwd:1: a login has"},
		{"a blank in the login", "geheim geheim:{PLAIN}x\n", "passwd:1: a login has"},
		{"a blank before the login", " bob:{PLAIN}geheim\n", "passwd:1: a login has"},
		{"a long login", strings.Repeat("geheim", 50) + ":{PLAIN}x\n", "passwd:1: a login has"},
		{"in clear", "bob:{PLAIN}geheim\n", "passwd:1: the scheme {PLAIN} is not supported"},
		{"twice", good + "bob:" + good[len("alice:"):] + strings.ToUpper("alice") + good[len("alice"):], "passwd:3: the login stands in line 1 already"},
		{"may not log in", strings.TrimSuffix(good, "\n") + "::::::nologin reason=geheim\n", "passwd:1: extra fields such as nologin"},
		{"from some nets", strings.TrimSuffix(good, "\n") + "::::::userdb_x=y allow_nets=192.0.2.0/24\n", "passwd:1: extra fields"},
		{
			"too dear", "bob:{ARGON2ID}$argon2id$v=19$m=1048576,t=4,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA\n" +
				"carol:{BLF-CRYPT}$2y$15$abcdefghijklmnopqrstuABCDEFGHIJKLMNOPQRSTUVWXYZ012345\n", "passwd: the entries differ so much",
		},
		{"a byte order mark", "\xef\xbb\xbf" + good, "byte order mark"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Open(write(t, "passwd", c.text), nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v, want %q", err, c.want)
			}
			if strings.Contains(err.Error(), "geheim") || strings.Contains(err.Error(), "$argon2id$v=19$m=8") {
				t.Errorf("the error shows what stands there: %v", err)
			}
		})
	}
}

func TestFileIsPrivate(t *testing.T) {
	path := write(t, "passwd", entry("alice", "one"))
	for mode, want := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o640: false, 0o604: false, 0o620: false, 0o601: false} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := Open(path, nil)
		if (err == nil) != want || err != nil && !strings.Contains(err.Error(), "chmod 600 "+path) {
			t.Errorf("%o: %v", mode, err)
		}
	}
	if _, err := Open(filepath.Dir(path), nil); err == nil {
		t.Error("a directory is a file")
	}
	if _, err := Open(path+"x", nil); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// A new file counts with the next login. One that is wrong or gone changes nothing, and is told of
// once.
func TestReload(t *testing.T) {
	path := write(t, "passwd", entry("alice", "one"))
	var told []string
	f, err := Open(path, func(n int, err error) { told = append(told, fmt.Sprint(n, " ", err != nil)) })
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name     string
		change   func() error
		password string // that is right afterwards
		want     string // is told
	}{
		{"nothing changes", func() error { return nil }, "one", ""},
		{"a new password", func() error { return os.WriteFile(path, []byte(entry("alice", "three")), 0o600) }, "three", "1 false"},
		{"a mistake", func() error { return os.WriteFile(path, []byte("alice\n"), 0o600) }, "three", "1 true"},
		{"mended", func() error { return os.WriteFile(path, []byte(entry("alice", "four")+entry("bob", "x")), 0o600) }, "four", "2 false"},
		{"gone", func() error { return os.Remove(path) }, "four", "2 true"},
		{"back", func() error { return os.WriteFile(path, []byte(entry("alice", "five")), 0o600) }, "five", "1 false"},
		{"open to all", func() error { return os.Chmod(path, 0o644) }, "five", "1 true"},
	} {
		told = nil
		if err := step.change(); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if !right(f, "alice", step.password) {
				t.Errorf("%s: %s is not the password", step.name, step.password)
			}
		}
		if got := strings.Join(told, "; "); got != step.want {
			t.Errorf("%s: told %q, want %q", step.name, got, step.want)
		}
	}
}
