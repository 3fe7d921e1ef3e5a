package callforward

import (
	"strings"
	"testing"

	"mailweir/internal/address"
)

func TestParseTarget(t *testing.T) {
	for _, test := range []struct{ in, port, want, err string }{
		{in: "10.0.0.2", port: "25", want: "10.0.0.2:25"},
		{in: "mx.example:2525", port: "25", want: "mx.example:2525"},
		{in: "inet:mx.example:24", want: "mx.example:24"},
		{in: "[::1]:25", port: "25", want: "[::1]:25"},
		{in: "[::1]", port: "25", want: "[::1]:25"},
		{in: "[mx.example]", port: "25", want: "mx.example:25"},
		{in: "unix:/run/lmtp", want: "unix:/run/lmtp"},
		{in: "", port: "25", err: "the host is missing"},
		{in: ":25", port: "25", err: "the host is missing"},
		{in: "mx.example", err: "the port is missing"},
		{in: "mx.example:", port: "25", err: "the port is missing after the colon"},
		{in: "mx.example:smtp", port: "25", err: "is no port"},
		{in: "mx.example:0", port: "25", err: "is no port"},
		{in: "mx.example:65536", port: "25", err: "is no port"},
		{in: "::1", port: "25", err: "stands in brackets"},
		{in: "[::1", port: "25", err: "want [ADDRESS]:PORT"},
		{in: "[::1]25", port: "25", err: "want [ADDRESS]:PORT"},
		{in: "[::1]:", port: "25", err: "want [ADDRESS]:PORT"},
		{in: "a b", port: "25", err: "no host name"},
		{in: "unix:run/lmtp", err: "absolute path"},
		{in: "unix:/" + strings.Repeat("x", longestPath), err: "at most 107 octets"},
	} {
		t.Run(test.in, func(t *testing.T) {
			got, err := parseTarget(test.in, test.port)
			switch {
			case test.err != "":
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("error %v, want %q", err, test.err)
				}
			case err != nil || got.String() != test.want:
				t.Errorf("%s, %v; want %s", got, err, test.want)
			}
		})
	}
}

func TestForwardPath(t *testing.T) {
	for _, test := range []struct {
		in, want string
		utf8     bool
		err      error
	}{
		{in: "bob@x.example", want: "<bob@x.example>"},
		{in: "Bob.Smith+News@X.Example", want: "<Bob.Smith+News@x.example>"},
		{in: "bob@[192.0.2.1]", want: "<bob@[192.0.2.1]>"},
		{in: `"a b"@x.example`, want: `<"a b"@x.example>`},
		{in: `"a\"b\\c"@x.example`, want: `<"a\"b\\c"@x.example>`},
		{in: `"a@b"@x.example`, want: `<"a@b"@x.example>`},
		{in: "a..b@x.example", want: `<"a..b"@x.example>`},
		{in: "a>b@x.example", want: `<"a>b"@x.example>`},
		{in: "bücher@bücher.example", want: "<bücher@xn--bcher-kva.example>", utf8: true},
		{in: "bob", err: errNoDomain},
		{in: "@x.example", err: errNoPath},
		{in: "a\r\nRCPT TO:<x@y.example>@x.example", err: errNoPath},
		{in: "a\x00@x.example", err: errNoPath},
		{in: "a\u0085b@x.example", err: errNoPath},
		{in: "\xff@x.example", err: errNoPath},
		{in: "bob@x.example\r\nDATA", err: errNoPath},
		{in: "bob@x.example> SIZE=1", err: errNoPath},
		{in: strings.Repeat("a", 241) + "@xxxxx.example", err: errTooLong},
	} {
		t.Run(test.in, func(t *testing.T) {
			path, utf8, err := forwardPath(address.Parse(test.in))
			if path != test.want || utf8 != test.utf8 || err != test.err {
				t.Errorf("%q, %v, %v; want %q, %v, %v", path, utf8, err, test.want, test.utf8, test.err)
			}
		})
	}
}

// FuzzForwardPath: whatever a client has chosen, it is one path and nothing behind it.
func FuzzForwardPath(f *testing.F) {
	for _, s := range []string{"bob@x.example", `"a\"b"@x.example`, "a>b@x", "@a,@b:c@d.example", "ü@x.example", "a\r\n@x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		to := address.Parse(s)
		path, _, err := forwardPath(to)
		if err != nil {
			return
		}
		if strings.ContainsAny(path, "\r\n\x00") || len(path) > maxPath || path[0] != '<' || path[len(path)-1] != '>' {
			t.Fatalf("%q is written as %q", s, path)
		}
		if back := address.Parse(path); back.Key() != to.Key() {
			t.Errorf("%q is written as %q, which is %q and not %q", s, path, back.Key(), to.Key())
		}
	})
}
