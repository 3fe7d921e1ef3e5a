package rspamd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mailweir/internal/importing"
	"mailweir/internal/mta"
	"mailweir/test/testbed"
)

// odd are settings in every form that is read.
const odd = `
A { type = "from"; map = "/x/a.map"; action = "reject"; score = 3.5; }
"B-R" = { type = ip, map = [ "1.2.3.4", "10.0.0.0/8" ]; action: accept
  regexp = yes, symbols = ["x", "y"]; message = <<EOD
hello
  there # no comment
EOD
  /* c /* nested */ */ a = 1; expire = 5min; s = 'it\'s \n'; u = a b c; t = "q\"\u0041\n\/"
  empty = ""; url = http://x.example/a#b ; next = 1
  path = /etc/x;
}
A { type = "rcpt"; score = 9 }
k1 k2 { v = w }
k3 "k 4" { v = w }
arr = [ { a = 1 }, [ 1, 2 ] , x y ]
c=1;d:2
braces = x{y
after =
  value
last = "no separator"
`

// TestUCLAgrees: rspamd's own reader makes the same of it.
func TestUCLAgrees(t *testing.T) {
	testbed.Require(t, "rspamd")
	file := filepath.Join(t.TempDir(), "rspamd.conf")
	if err := os.WriteFile(file, []byte("options { dns { nameserver = [\"127.0.0.1\"]; } }\nmultimap {"+odd+"}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := mta.Programs(time.Minute)(t.Context(), "", "rspamadm", "configdump", "-T", "-j", "-c", file, "multimap")
	if err != nil {
		t.Fatal(err)
	}
	var want any
	if err := json.Unmarshal([]byte(out.Stdout), &want); err != nil {
		t.Fatalf("%v\n%s", err, out.Stdout)
	}
	root, err := parseUCL(odd, nil)
	if err != nil {
		t.Fatal(err)
	}
	alike(t, "", root, want)
}

// alike compares a setting with what rspamd prints of it. Numbers and yes it prints in its own way.
func alike(t *testing.T, path string, n *node, want any) {
	t.Helper()
	switch want := want.(type) {
	case string:
		if n.text != want {
			t.Errorf("%s is %q, rspamd has %q", path, n.text, want)
		}
	case []any:
		if len(n.items) != len(want) {
			t.Errorf("%s has %d items, rspamd has %d", path, len(n.items), len(want))
			return
		}
		for i, one := range want {
			alike(t, fmt.Sprintf("%s[%d]", path, i), n.items[i], one)
		}
	case map[string]any:
		var keys []string
		for _, f := range n.fields {
			if !slices.Contains(keys, f.key) {
				keys = append(keys, f.key)
			}
		}
		if len(keys) != len(want) {
			t.Errorf("%s has the keys %q, rspamd has %d", path, keys, len(want))
		}
		for _, key := range keys {
			var same []*node
			for _, f := range n.fields {
				if f.key == key {
					same = append(same, f)
				}
			}
			if len(same) == 1 {
				alike(t, path+"."+key, same[0], want[key])
				continue
			}
			alike(t, path+"."+key, &node{items: same}, want[key])
		}
	default:
		if n.text == "" {
			t.Errorf("%s is empty, rspamd has %v", path, want)
		}
	}
}

// TestUCL: lines, variables and macros.
func TestUCL(t *testing.T) {
	root, err := parseUCL("# c\nA {\n  b = \"$X/${X}/$Y/'\";\n\n  c = '$X'\n}\n.include(try=true,priority=1) \"$X/a\"\nd = $Xy\n", map[string]string{"X": "/x"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	var walk func(path string, n *node)
	walk = func(path string, n *node) {
		for _, f := range n.fields {
			got = append(got, fmt.Sprintf("%d-%d %s %q %v", f.line, f.end, path+f.key, f.text, f.include))
			walk(path+f.key+".", f)
		}
	}
	walk("", root)
	want := []string{`2-6 A "" false`, `3-3 A.b "/x//x/$Y/'" false`, `5-5 A.c "$X" false`, `7-7 .include "/x/a" true`, `8-8 d "/xy" false`}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestUCLErrors: each names its line.
func TestUCLErrors(t *testing.T) {
	for text, want := range map[string]string{
		"a = 1\nb {\n c = 1;\n": "line 2: { has no }", "a = [ 1,": "line 1: [ has no ]", "\na = \"x\n": "line 2: the string has no end", "/* x": "line 1: the comment has no end",
		"a = <<END\nx\n": "line 1: <<END has no end", "a\nb": `line 1: "a" has no value`, "a;": `line 1: "a" has no value`, "= 1": `line 1: a key is expected before "= 1"`, "}": `line 1: a key is expected before "}"`,
		"{% if x %}": `line 1: a key is expected before "{% if x %}"`, "a = {= env.X =};": "line 1: templates are not read", "a = x{= b =}": "line 1: templates are not read",
		".include(x \"a\"": "line 1: .include: its arguments have no end", "a = \xff": "line 1: it is no text in UTF-8", strings.Repeat("a {", 50): "line 1: objects are too deep within each other",
		"a = " + strings.Repeat("[", 50): "line 1: arrays are too deep within each other", "a = [ } ]": `line 1: a value is expected before "} ]"`,
	} {
		_, err := parseUCL(text, nil)
		var wrong *uclError
		if !errors.As(err, &wrong) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.40q: %v, want %s", text, err, want)
		}
	}
}

// TestBrokenFile: a file that cannot be read is left with the line, and all others are read.
func TestBrokenFile(t *testing.T) {
	root := tree(t, map[string]string{
		"etc/rspamd/local.d/multimap.conf": "A {\n  type = \"ip\"\n  map = \"x\n}\n", "etc/rspamd/local.d/actions.conf": "reject = 12;\n",
	})
	golden(t, "broken", told(from(t, nil, root), root))
}

// TestWorkerOff: where nobody listens at the address that is proposed, that is said.
func TestWorkerOff(t *testing.T) {
	for text, want := range map[string]bool{
		"enabled = false;\n": true, "enabled = true;\n": false, "bind_socket = \"*:11333\";\n": false, "enabled = true;\nenabled = no;\n": true,
	} {
		root := tree(t, map[string]string{"etc/rspamd/local.d/worker-normal.inc": text})
		r := from(t, nil, root)
		if len(r.Flags) != 2 || strings.Contains(r.Flags[0].Off, "switch it on first") != want {
			t.Errorf("%q: %+v", text, r.Flags)
		}
	}
}

// dumps is an rspamadm that prints this.
func dumps(text string) mta.Run {
	return func(context.Context, string, ...string) (mta.Output, error) { return mta.Output{Stdout: text}, nil }
}

// TestElsewhere: what rspamd has from a file that is not read is said.
func TestElsewhere(t *testing.T) {
	r := &reading{Input: &importing.Input{Run: dumps(`noise
{"OWN": {"type": "ip", "action": "reject"}, "OTHER": {"type": "from", "action": "reject", "score": 1}, "SCORE": {"type": "from", "score": 1}, "enabled": true}`)}, Result: &importing.Result{}, dir: usualDir}
	r.elsewhere(t.Context(), []*rule{{name: "OWN"}})
	if len(r.Items) != 1 || r.Items[0].Text != "OTHER" || r.Items[0].Fate != importing.Left {
		t.Errorf("items %+v", r.Items)
	}
}
