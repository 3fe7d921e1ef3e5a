package table_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mailweir/internal/address"
	"mailweir/internal/table"
	"mailweir/internal/table/tabletest"
	"mailweir/internal/trace"
)

// openWaiting opens a list of which "test:NAME" is one of tables.
func openWaiting(t testing.TB, tables *tabletest.Tables, o table.ListOptions, specs ...string) *table.List {
	t.Helper()
	loader := table.NewLoader(nil)
	loader.Waiting = tables.Open
	list, err := loader.List(o, specs...)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

var blockList = table.ListOptions{Use: table.Use{Values: table.Actions}, Subdomains: true, Delimiters: "+"}

func TestWaitingSequence(t *testing.T) {
	for _, c := range []struct {
		name string
		ask  func(context.Context, *table.List) (table.Match, error)
		want string
	}{
		{"address", func(ctx context.Context, l *table.List) (table.Match, error) {
			return l.Address(ctx, address.Parse("User+Ext@A.B.Example"))
		}, "user+ext@a.b.example user@a.b.example a.b.example .b.example b.example .example example user+ext@ user@"},
		{"null sender", func(ctx context.Context, l *table.List) (table.Match, error) {
			return l.Address(ctx, address.Address{})
		}, "<>"},
		{"domain", func(ctx context.Context, l *table.List) (table.Match, error) {
			return l.Domain(ctx, "A.B.example.")
		}, "a.b.example .b.example b.example .example example"},
		{"literal", func(ctx context.Context, l *table.List) (table.Match, error) {
			return l.Domain(ctx, "[192.0.2.1]")
		}, "[192.0.2.1]"},
		{"client", func(ctx context.Context, l *table.List) (table.Match, error) {
			return l.Client(ctx, netip.MustParseAddr("::ffff:192.0.2.1"), "mx.example")
		}, "mx.example .example example 192.0.2.1 192.0.2 192.0 192"},
		{"client without a name", func(ctx context.Context, l *table.List) (table.Match, error) {
			return l.Client(ctx, netip.MustParseAddr("2001:db8::1"))
		}, "2001:db8::1 2001:db8: 2001:db8 2001"},
		{"unknown client", func(ctx context.Context, l *table.List) (table.Match, error) {
			return l.Client(ctx, netip.Addr{})
		}, ""},
		{"key", func(ctx context.Context, l *table.List) (table.Match, error) { return l.Key(ctx, "Some Key") }, "some key"},
		{"key that is no text", func(ctx context.Context, l *table.List) (table.Match, error) { return l.Key(ctx, "\xff") }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var tables tabletest.Tables
			list := openWaiting(t, &tables, blockList, "test:a")
			if m, err := c.ask(t.Context(), list); err != nil || m.Found() {
				t.Fatalf("%+v, %v", m, err)
			}
			keys := tables.Table("a").Asked()
			if got := strings.Join(keys, " "); got != c.want {
				t.Fatalf("asked for %q, want %q", got, c.want)
			}
			for i, key := range keys { // each of them answers, and nothing is asked behind it
				var tables tabletest.Tables
				tables.Table("a").Put(key, "REJECT 5.7.9 no")
				m, err := c.ask(t.Context(), openWaiting(t, &tables, blockList, "test:a"))
				if err != nil || m.Key != key || m.Action.Verb != table.Reject || m.Action.Text != "no" || m.Where() != "test:a" {
					t.Errorf("%q: %+v, %v", key, m, err)
				}
				if asked := tables.Table("a").Asked(); len(asked) != i+1 {
					t.Errorf("%q answered, and then %q were asked for", key, asked[i+1:])
				}
			}
		})
	}
}

// TestWaitingAnswersAsMemory holds a table that waits against one in memory with the same entries.
func TestWaitingAnswersAsMemory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "table")
	rapid.Check(t, func(t *rapid.T) {
		label := rapid.SampledFrom([]string{"a", "b", "bücher", "xn--bcher-kva", ""})
		local := rapid.SampledFrom([]string{"u", "u+x", `"a b"`, ""})
		domain := rapid.Custom(func(t *rapid.T) string {
			return strings.Trim(label.Draw(t, "label")+"."+label.Draw(t, "label"), ".")
		})
		key := rapid.Custom(func(t *rapid.T) string {
			return rapid.SampledFrom([]string{"", ".", "u@", "u+x@", `"a b"@`, "u@.", "<>"}).Draw(t, "before") + domain.Draw(t, "domain")
		})
		var tables tabletest.Tables
		var lines []string
		for i, k := range rapid.SliceOfN(key, 0, 6).Draw(t, "keys") {
			if k = address.Fold(k); k == "" || slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, k+"\t") }) {
				continue
			}
			lines = append(lines, fmt.Sprintf("%s\tREJECT %d", k, i))
			tables.Table("a").Put(k, fmt.Sprintf("REJECT %d", i))
		}
		if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		options := table.ListOptions{
			Use: table.Use{Values: table.Actions}, Subdomains: rapid.Bool().Draw(t, "subdomains"), Delimiters: rapid.SampledFrom([]string{"", "+"}).Draw(t, "delimiter"),
		}
		loader := table.NewLoader(nil)
		loader.Waiting = tables.Open
		memory, err := loader.List(options, file)
		if err != nil {
			t.Fatal(err)
		}
		waiting, err := loader.List(options, "test:a")
		if err != nil {
			t.Fatal(err)
		}
		a := address.Parse(local.Draw(t, "local") + "@" + domain.Draw(t, "domain"))
		want, _ := memory.Address(context.Background(), a)
		if got, err := waiting.Address(context.Background(), a); err != nil || got.Key != want.Key || got.Action != want.Action {
			t.Fatalf("%s: %q %v (%v), in memory %q %v", a, got.Key, got.Action, err, want.Key, want.Action)
		}
		name := domain.Draw(t, "name")
		want, _ = memory.Client(context.Background(), netip.Addr{}, name)
		if got, err := waiting.Client(context.Background(), netip.Addr{}, name); err != nil || got.Key != want.Key {
			t.Fatalf("%s: %q (%v), in memory %q", name, got.Key, err, want.Key)
		}
	})
}

// TestWaitingFails: an error is never "not found", and never passed over for a table behind it.
func TestWaitingFails(t *testing.T) {
	down := errors.New("connection refused")
	for _, c := range []struct {
		name  string
		specs []string
		set   func(*tabletest.Tables)
		value string
		err   string
	}{
		{"fails", []string{"test:a"}, func(ts *tabletest.Tables) { ts.Table("a").Fail(down) }, "", "test:a: connection refused"},
		{
			"fails before one that knows",
			[]string{"test:a", "static:REJECT"},
			func(ts *tabletest.Tables) { ts.Table("a").Fail(down) }, "", "test:a: connection refused",
		},
		{
			"fails behind one that knows",
			[]string{"inline:{b.example=DUNNO}", "test:a"},
			func(ts *tabletest.Tables) { ts.Table("a").Fail(down) }, "DUNNO", "",
		},
		{"the next one answers", []string{"test:a", "static:REJECT"}, func(*tabletest.Tables) {}, "REJECT", ""},
		{
			"the first one answers",
			[]string{"test:a", "test:b"},
			func(ts *tabletest.Tables) { ts.Table("a").Put(".example", "OK"); ts.Table("b").Fail(down) }, "OK", "",
		},
		{
			"says what is no action",
			[]string{"test:a"},
			func(ts *tabletest.Tables) { ts.Table("a").Put("b.example", "yes, please") },
			"", `test:a: the value of "b.example": unknown action "yes,"`,
		},
		{
			"says too much",
			[]string{"test:a"},
			func(ts *tabletest.Tables) { ts.Table("a").Put("b.example", "REJECT "+strings.Repeat("x", 1<<20)) },
			"", `test:a: the value of "b.example" is longer than 1048576 octets`,
		},
		{
			"says what is no text",
			[]string{"test:a"},
			func(ts *tabletest.Tables) { ts.Table("a").Put("b.example", "REJECT \xff") },
			"", `test:a: the value of "b.example" is not UTF-8`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var tables tabletest.Tables
			c.set(&tables)
			list := openWaiting(t, &tables, blockList, c.specs...)
			for kind, ask := range map[string]func(context.Context) (table.Match, error){
				"address": func(ctx context.Context) (table.Match, error) { return list.Address(ctx, address.Parse("u@b.example")) },
				"domain":  func(ctx context.Context) (table.Match, error) { return list.Domain(ctx, "b.example") },
				"client": func(ctx context.Context) (table.Match, error) {
					return list.Client(ctx, netip.MustParseAddr("192.0.2.1"), "b.example")
				},
			} {
				m, err := ask(t.Context())
				if m.Value != c.value || (err == nil) != (c.err == "") || err != nil && !strings.HasPrefix(err.Error(), c.err) {
					t.Errorf("%s: %+v, error %v", kind, m, err)
				}
				if err != nil && m != (table.Match{}) {
					t.Errorf("%s: a match beside the error: %+v", kind, m)
				}
			}
			if c.name == "fails" {
				if _, err := list.Key(t.Context(), "k"); !errors.Is(err, down) {
					t.Errorf("key: %v", err)
				}
			}
		})
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	var tables tabletest.Tables
	waiting, release := tables.Table("a").Hold()
	defer release()
	list := openWaiting(t, &tables, blockList, "test:a", "static:OK")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := list.Domain(ctx, "b.example")
		done <- err
	}()
	if key := <-waiting; key != "b.example" {
		t.Errorf("asked for %q", key)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestWaits(t *testing.T) {
	var tables tabletest.Tables
	for _, c := range []struct {
		specs []string
		want  bool
	}{
		{nil, false},
		{[]string{"inline:{a=OK}", "static:OK"}, false},
		{[]string{"inline:{a=OK}", "test:a"}, true},
	} {
		list := openWaiting(t, &tables, blockList, c.specs...)
		if list.Waits() != c.want {
			t.Errorf("%q: waits %v", c.specs, list.Waits())
		}
	}
	if openWaiting(t, &tables, blockList, "test:a").Empty() {
		t.Error("a table of which nobody knows is said to be empty")
	}
	if err := openWaiting(t, &tables, blockList, "test:a").CheckKeys(func(string) error { return errors.New("no") }); err != nil {
		t.Errorf("its keys are held against something: %v", err)
	}
	if asked := tables.Table("a").Asked(); len(asked) > 0 {
		t.Errorf("asked for %q without need", asked)
	}
}

func TestOpenWaiting(t *testing.T) {
	var tables tabletest.Tables
	tables.Table("broken").Break(errors.New("no such file"))
	loader := table.NewLoader(nil)
	if _, err := loader.Open("test:a"); err == nil || !strings.HasPrefix(err.Error(), `unknown table type "test" in "test:a"; known are texthash,`) {
		t.Errorf("without an opener: %v", err)
	}
	loader.Waiting = tables.Open
	for spec, want := range map[string]string{
		"test:broken": "test:broken: no such file",
		"tset:a":      `unknown table type "tset" in "tset:a"; known are`,
		"test:":       `the table "test:" has no source`,
	} {
		if _, err := loader.Open(spec); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", spec, err)
		}
	}
	one, err := loader.Open("test:a")
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := loader.Open("test:a"); again != one {
		t.Error("a table is opened twice")
	}
	tables.Table("a").Put("k", "any value")
	if m, err := one.Lookup(t.Context(), "K"); err != nil || m.Value != "any value" || m.Key != "k" {
		t.Errorf("%+v, %v", m, err)
	}
	if changed := loader.Changed(); len(changed) > 0 {
		t.Errorf("files changed: %q", changed)
	}
}

// TestWaitingIsTraced: what a table that waits said stands in the query trace, one line a list.
func TestWaitingIsTraced(t *testing.T) {
	var tables tabletest.Tables
	var seen trace.Trace
	list := openWaiting(t, &tables, blockList, "test:a")
	ctx := trace.With(t.Context(), &seen)
	ask := func(name string) { _, _ = list.Domain(ctx, name) }
	ask("a.b.example")
	tables.Table("a").Put("b.example", "REJECT")
	ask("a.b.example")
	tables.Table("a").Fail(errors.New("timeout"))
	ask("c.example")
	want := []trace.Query{
		{Question: "test:a a.b.example", Answer: "not found, nor a wider key"},
		{Question: "test:a b.example", Answer: "REJECT"},
		{Question: "test:a c.example", Answer: "error: test:a: timeout"},
	}
	if got := seen.Queries(); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
