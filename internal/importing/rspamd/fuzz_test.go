package rspamd

import (
	"errors"
	"strings"
	"testing"

	"mailweir/internal/importing"
)

// FuzzUCL: an error names a line of the file, and settings stand within it, in order.
func FuzzUCL(f *testing.F) {
	f.Add(odd)
	f.Add("a {b [c <<D\nx\nD\n] 'd\\'' \"e\\u0041$X${X}\" /* /* */ */ # f\n .include(x) \"y\"; g = {% h")
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Count(text, "\n") + 1
		root, err := parseUCL(text, map[string]string{"X": "/x"})
		if err != nil {
			var wrong *uclError
			if !errors.As(err, &wrong) || wrong.line < 1 || wrong.line > lines {
				t.Fatalf("error %v in %d lines", err, lines)
			}
			return
		}
		var walk func(*node)
		walk = func(n *node) {
			at := n.line
			for _, one := range append(n.fields, n.items...) {
				if one.line < at || one.end < one.line || one.end > lines {
					t.Fatalf("%q is at %d-%d after %d, of %d lines", one.key, one.line, one.end, at, lines)
				}
				at = one.line
				walk(one)
			}
		}
		walk(root)
	})
}

// FuzzMaps: whatever stands in a map, each entry is accounted for, and mailweir takes the tables.
func FuzzMaps(f *testing.F) {
	for _, text := range maps {
		f.Add(text)
	}
	f.Add("/(/\n/a/xx\n\"\n\"a\n/\\/\n@\n@a\n^\n$\n/^|$/\n/[^]/\n/[]$^]/\n(\n***\n\x00\n\xff\na\tb\n1.2.3.4/33\nfe80::1%e\n<>\n")
	f.Fuzz(func(t *testing.T, text string) {
		r := &reading{Input: &importing.Input{Dir: "/etc/mailweir/imported"}, Result: &importing.Result{}, lists: newLists()}
		n := 0
		for _, rule := range []string{
			`type = ip`, `type = hostname`, `type = hostname; filter = tld`, `type = from`, `type = from; filter = "email:domain"`, `type = from; filter = "email:user"`, `type = from; filter = "email:domain:tld"`,
			`type = rcpt; filter = email; regexp = true`, `type = header; header = from; filter = "email:domain"; glob = true`, `type = from; regexp = yes`, `type = filename; filter = ext`, `type = filename`,
		} {
			root, err := parseUCL("A { action = reject; message = 'no %s [x]'; map = x; "+rule+" }", nil)
			if err != nil {
				t.Fatal(err)
			}
			one := addRule(nil, &source{}, root.fields[0])[0]
			to, why := r.target(one)
			if why != "" {
				t.Fatal(why)
			}
			for _, e := range parseMap("map", text, "", to.nets) {
				e.glob, e.pattern = e.glob || one.is("glob"), e.pattern || one.is("regexp")
				to.take(r, e)
				n++
			}
		}
		if len(r.Items) != n {
			t.Fatalf("%d items for %d entries", len(r.Items), n)
		}
		r.lists.write(r)
		for _, l := range r.lists.all() {
			written(t, r.Result, l.flag, l.use)
		}
	})
}
