package remote

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mailweir/internal/address"
	"mailweir/internal/resource"
	"mailweir/internal/table"
)

// TestWholeKeys: servers that expect what Postfix asks them for are not asked for parts.
func TestWholeKeys(t *testing.T) {
	for _, whole := range []bool{true, false} {
		f := &fake{find: func(context.Context, string) (string, bool, error) { return "", false, nil }}
		var pool resource.Pool
		p := load(&pool, Opener{Kinds: []Kind{{Name: "fake", WholeKeys: whole, Open: func(Source) (Driver, error) { return f, nil }}}}, nil)
		list, err := p.List(table.ListOptions{Subdomains: true, Delimiters: "+"}, "fake:x")
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			ask  func(context.Context) (table.Match, error)
			want []string
		}{
			{func(ctx context.Context) (table.Match, error) {
				return list.Address(ctx, address.Parse("u+x@a.xn--bcher-kva.example"))
			}, []string{"u+x@a.xn--bcher-kva.example", "u+x@a.bücher.example"}},
			{func(ctx context.Context) (table.Match, error) {
				return list.Recipient(ctx, address.Parse("u+x@b.example"))
			}, []string{"u+x@b.example"}},
			{func(ctx context.Context) (table.Match, error) {
				return list.Address(ctx, address.Address{})
			}, []string{"<>"}},
			{func(ctx context.Context) (table.Match, error) { return list.Domain(ctx, "a.b.example") }, []string{"a.b.example"}},
			{func(ctx context.Context) (table.Match, error) {
				return list.Client(ctx, netip.MustParseAddr("192.0.2.1"), "mx.example")
			}, []string{"mx.example", "192.0.2.1"}},
			{func(ctx context.Context) (table.Match, error) { return list.Key(ctx, "Some Key") }, []string{"some key"}},
		} {
			if _, err := c.ask(t.Context()); err != nil {
				t.Fatal(err)
			}
			if f.asked[0] != c.want[0] || slices.Equal(f.asked, c.want) != (whole || len(f.asked) == 1) {
				t.Errorf("whole %v: asked for %q, want %q", whole, f.asked, c.want)
			}
			f.asked = nil
		}
		if err := p.held.Release(); err != nil {
			t.Error(err)
		}
	}
}

// files is a kind whose sources are files; it counts what is opened.
func files(opened *[]*fake) Kind {
	return Kind{Name: "file", File: true, Open: func(s Source) (Driver, error) {
		f := &fake{find: func(context.Context, string) (string, bool, error) {
			return "", false, errors.New("denied to " + s.File.Secret("password"))
		}}
		s.File.Secret("password")
		s.File.Int("port", 1, 1, 2)
		*opened = append(*opened, f)
		return f, s.File.Err()
	}}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// policy is a loader with what it holds.
type policy struct {
	*table.Loader
	held *resource.Holder
}

func load(pool *resource.Pool, o Opener, before *policy) *policy {
	var previous *table.Loader
	if before != nil {
		previous = before.Loader
	}
	p := &policy{table.NewLoader(previous), pool.Hold()}
	p.Waiting = func(kind, source string) (table.Waiting, error) { return o.Open(p.held, nil, kind, source) }
	return p
}

// TestReload: a table whose file has not changed outlives the policy, however it is spelled; one
// whose file has changed is opened again, and the old one closed with its policy.
func TestReload(t *testing.T) {
	var opened []*fake
	var pool resource.Pool
	o := Opener{Kinds: []Kind{files(&opened)}}
	name := filepath.Join(t.TempDir(), "x.cf")
	write(t, name, "port = 1\n")
	first := load(&pool, o, nil)
	for _, spec := range []string{"file:" + name, "proxy:file:" + name} {
		if _, err := first.Open(spec); err != nil {
			t.Fatal(err)
		}
	}
	second := load(&pool, o, first)
	if _, err := second.Open("file:" + name); err != nil {
		t.Fatal(err)
	}
	if len(opened) != 1 || len(second.Changed()) > 0 {
		t.Fatalf("opened %d times, changed %q", len(opened), second.Changed())
	}
	write(t, name, "port = 2\n\n")
	if got := second.Changed(); !slices.Equal(got, []string{name}) {
		t.Errorf("changed: %q", got)
	}
	third := load(&pool, o, second)
	if _, err := third.Open("file:" + name); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*policy{first, second} {
		if err := p.held.Release(); err != nil {
			t.Fatal(err)
		}
	}
	if len(opened) != 2 || opened[0].closed != 1 || opened[1].closed != 0 {
		t.Errorf("opened %d times; the first closed %d times", len(opened), opened[0].closed)
	}
	if err := third.held.Release(); err != nil || pool.Len() != 0 {
		t.Errorf("%v, %d in use", err, pool.Len())
	}
}

func TestOpenErrors(t *testing.T) {
	var opened []*fake
	o := Opener{Kinds: []Kind{files(&opened), {Name: "other"}}}
	dir := t.TempDir()
	wrong, syntax := filepath.Join(dir, "wrong.cf"), filepath.Join(dir, "syntax.cf")
	write(t, wrong, "# x\nport = 7\n")
	write(t, syntax, "port\n")
	for spec, want := range map[string]string{
		"file:" + wrong:   wrong + `:2: --list: port: "7" is not a whole number from 1 to 2`,
		"file:" + syntax:  syntax + ":1: --list: there is no '='; a line is: name = value",
		"file:users":      `file:users: --list: "users" is no whole path of a file; write the whole path, such as file:/etc/postfix/users (parameters`,
		"file:" + dir:     "not a regular file",
		"file:/none.cf":   "file:/none.cf: --list: open /none.cf: no such file or directory",
		"unionmap:{a}":    `--list: table type "unionmap" of "unionmap:{a}" is not supported: it joins what several tables say; give the flag several times, where the first table that has an answer gives it`,
		"proxy:unix:x":    `table type "unix" of "proxy:unix:x" is not supported`,
		"nonsense:x":      `--list: unknown table type "nonsense" in "nonsense:x"; known are texthash, hash, lmdb, btree, cdb, dbm, sdbm, cidr, regexp, pcre, inline, static, list, file, other`,
		"proxy:/x":        `--list: the table "proxy:/x" has no source; want proxy:TYPE:SOURCE, or TYPE:SOURCE`,
		"file:/x/a=b c@d": `open /x/a=b c@d: no such file`,
		"file:./a=b c@d":  `open ./a=b c@d: no such file`,
		"file:u=p@h":      `file:…: --list: the source is no file`,
	} {
		var pool resource.Pool
		p := load(&pool, o, nil)
		_, err := p.List(table.ListOptions{}, spec)
		if err == nil || !strings.Contains(table.Of("list", err).Error(), want) {
			t.Errorf("%s: %v, want %s", spec, table.Of("list", err), want)
		}
		if pool.Len() != 0 {
			t.Errorf("%s: %d in use", spec, pool.Len())
		}
	}
}

func TestRemarksAndSecrets(t *testing.T) {
	var opened []*fake
	var pool resource.Pool
	name := filepath.Join(t.TempDir(), "x.cf")
	write(t, name, "prot = 1\npassword = geheim\n")
	p := load(&pool, Opener{Kinds: []Kind{files(&opened)}}, nil)
	one, err := p.Open("proxy:file:" + name)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`proxy:file:` + name + `: "proxy:" is left out; file:` + name + ` is asked directly`,
		name + `:1: nothing here is called "prot": the line is ignored, as Postfix does`,
	}
	if got := p.Remarks(); !slices.Equal(got, want) {
		t.Errorf("remarks %q, want %q", got, want)
	}
	_, err = one.Lookup(t.Context(), "key")
	if err == nil || strings.Contains(err.Error(), "geheim") || !strings.Contains(err.Error(), "denied to ***") {
		t.Errorf("error %v", err)
	}
	if err := p.held.Release(); err != nil {
		t.Error(err)
	}
}
