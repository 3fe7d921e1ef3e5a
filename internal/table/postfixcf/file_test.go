package postfixcf

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func parse(t *testing.T, text string) *File {
	t.Helper()
	f, err := Parse("/etc/x.cf", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestSyntax(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"plain":              {"a = b", "b"},
		"without spaces":     {"a=b", "b"},
		"many spaces":        {"a  \t=\t b  \t\r\n", "b"},
		"no value":           {"a =", ""},
		"more than one '='":  {"a = b=c", "b=c"},
		"a dollar sign":      {"a = $b${c}", "$b${c}"},
		"continued":          {"a = b\n  c\n\td", "b  c\td"},
		"comments between":   {"# x\na = b\n# y\n\n  # z\n  c", "b  c"},
		"no comment":         {"a = b # c", "b # c"},
		"the last one":       {"a = b\na = c", "c"},
		"case counts":        {"A = c\na = b", "b"},
		"value on next line": {"a =\n  b", "b"},
		"a column":           {"a = SELECT\n  password = '%s'", "SELECT  password = '%s'"},
		"a column, a call":   {"a = SELECT\n  password = MD5('%s')", "SELECT  password = MD5('%s')"},
		"an empty one":       {"a = b\n  password =", "b  password ="},
	} {
		t.Run(name, func(t *testing.T) {
			f := parse(t, c.text)
			if got := f.String("a", "otherwise"); got != c.want || !f.Has("a") || f.Err() != nil {
				t.Errorf("%q, want %q; error %v", got, c.want, f.Err())
			}
		})
	}
}

func TestWrongLines(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"no '='":           {"# x\n\nsecret-password", "/etc/x.cf:3: there is no '='; a line is: name = value"},
		"no name":          {"= secret", "/etc/x.cf:1: there is no name before the '='; a line is: name = value"},
		"two words":        {"a = b\nbind pw = secret", "/etc/x.cf:2: there is white space in the name before the '='; a line is: name = value"},
		"first line":       {" a = secret", "/etc/x.cf:1: the line begins with white space, and there is none before that it could continue"},
		"stray password":   {"a = b\n# c\n bind_pw = secret", "/etc/x.cf:3: the line begins with white space, so that it continues the one before; take that away, or bind_pw is not what it gives"},
		"stray, by a tab":  {"a =\n\tpassword=secret\r\nb = c", "/etc/x.cf:2: the line begins with white space, so that it continues the one before; take that away, or password is not what it gives"},
		"not UTF-8":        {"a = secret\xff", "/etc/x.cf:1: the line is not UTF-8"},
		"too large a file": {"a = b\n" + strings.Repeat("#", maxFile), "/etc/x.cf: the file is larger than 1 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse("/etc/x.cf", strings.NewReader(c.text)); err == nil || err.Error() != c.want {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}

func TestValues(t *testing.T) {
	f := parse(t, "n = 7\nyes = YES\nno = no\ns = 5\nl = a, b\n  c,,d\nempty =")
	if f.Int("n", 1, 0, 9) != 7 || f.Int("none", 3, 0, 9) != 3 {
		t.Error("Int")
	}
	if !f.Bool("yes", false) || f.Bool("no", true) || !f.Bool("none", true) {
		t.Error("Bool")
	}
	if f.Seconds("s", time.Minute) != 5*time.Second || f.Seconds("none", time.Minute) != time.Minute {
		t.Error("Seconds")
	}
	if got := f.List("l"); !slices.Equal(got, []string{"a", "b", "c", "d"}) || len(f.List("none")) > 0 {
		t.Errorf("List %q", got)
	}
	if f.String("empty", "x") != "" || !f.Has("empty") || f.Has("none") {
		t.Error("a value that is empty")
	}
	if f.Err() != nil || len(f.Remarks()) > 0 {
		t.Errorf("error %v, remarks %q", f.Err(), f.Remarks())
	}
}

func TestWrongValues(t *testing.T) {
	const text = "n = 7x\nb = maybe\nchase = yes"
	for want, read := range map[string]func(*File){
		`/etc/x.cf:1: n: "7x" is not a whole number from 0 to 9`:     func(f *File) { f.Int("n", 1, 0, 9) },
		`/etc/x.cf:1: n: "7x" is not a whole number from 0 to 86400`: func(f *File) { f.Seconds("n", 1) },
		`/etc/x.cf:2: b: "maybe" is neither yes nor no`:              func(f *File) { f.Bool("b", true) },
		`/etc/x.cf:3: chase: is not supported: name the server`:      func(f *File) { f.Unsupported("chase", "name the server") },
		`/etc/x.cf:3: chase: wants 1`:                                func(f *File) { f.Errorf("chase", "wants %d", 1); f.Errorf("n", "second") },
		`/etc/x.cf: query: is missing`:                               func(f *File) { f.Errorf("query", "is missing") },
		`<nil>`:                                                      func(f *File) { f.Unsupported("other", "x") },
	} {
		f := parse(t, text)
		if read(f); fmt.Sprint(f.Err()) != want {
			t.Errorf("error %v, want %s", f.Err(), want)
		}
	}
}

func TestRemarks(t *testing.T) {
	f := parse(t, "server_hsot = x\nquery = a\nquery = b\ncache = no\nhost = far.example\nbind_pw:c2VjcmV0==")
	f.String("query", "")
	f.Known("cache", "unused")
	f.String("host", "")
	f.Remarkf("host", "goes to %s in clear text", "far.example")
	f.Remarkf("", "about the whole")
	want := []string{
		"/etc/x.cf: about the whole",
		`/etc/x.cf:1: nothing here is called "server_hsot": the line is ignored, as Postfix does`,
		"/etc/x.cf:3: query is given twice; this line counts, and not line 2",
		"/etc/x.cf:5: goes to far.example in clear text",
		`/etc/x.cf:6: nothing here is called "bind_pw…": the line is ignored, as Postfix does`,
	}
	for range 2 { // asking changes nothing
		if got := f.Remarks(); !slices.Equal(got, want) {
			t.Errorf("remarks %q, want %q", got, want)
		}
	}
}

func TestPaths(t *testing.T) {
	f := parse(t, "cert = /etc/b.pem\ndbpath = /etc/a.db\nhost = db.example\npassword = /geheim\nother = /etc/unknown")
	f.String("cert", "")
	f.String("dbpath", "")
	f.String("host", "")
	f.Secret("password")
	if got := f.Paths(); !slices.Equal(got, []string{"/etc/a.db", "/etc/b.pem"}) {
		t.Errorf("%q", got)
	}
}

func TestRedact(t *testing.T) {
	f := parse(t, "password = geheim\npw = geheim2\nempty =")
	if f.Secret("password") != "geheim" || f.Secret("pw") != "geheim2" || f.Secret("empty") != "" || f.Secret("none") != "" {
		t.Error("Secret")
	}
	down := errors.New("down")
	err := f.Redact(fmt.Errorf("dial u:geheim2@h, geheim: %w", down))
	if err.Error() != "dial u:***@h, ***: down" || !errors.Is(err, down) {
		t.Errorf("%v", err)
	}
	q := parse(t, `password = a"b c/d`)
	secret := q.Secret("password")
	err = q.Redact(fmt.Errorf("parse %q, %s, %s", secret, url.QueryEscape(secret), url.PathEscape(secret)))
	if err.Error() != `parse "***", ***, ***` {
		t.Errorf("%v", err)
	}
	if f.Redact(down) != down || f.Redact(nil) != nil {
		t.Error("an error without a secret is another one")
	}
}

func TestSum(t *testing.T) {
	a, b, c := parse(t, "a = b"), parse(t, "a = b"), parse(t, "a = b # c")
	if a.Sum() != b.Sum() || a.Sum() == c.Sum() {
		t.Error("the sum is not that of the content")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("a = b\n  c\n# d\npassword = geheim", "a")
	f.Add("a=\n =", "a")
	f.Add("x\r\n\ty\x00", "x")
	f.Fuzz(func(t *testing.T, text, name string) {
		file, err := Parse("/etc/x.cf", strings.NewReader(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "/etc/x.cf:") {
				t.Errorf("error without a place: %v", err)
			}
			return
		}
		value := file.String(name, "")
		if value != strings.Trim(value, whiteSpace) || strings.Contains(value, "\n") {
			t.Errorf("value %q", value)
		}
		file.Secret(name)
		file.Int(name, 0, 0, 9)
		if value != "" && strings.Contains(fmt.Sprint(file.Redact(errors.New("<"+value+">"))), "<"+value+">") {
			t.Errorf("%q shows", value)
		}
		for _, r := range file.Remarks() {
			if !strings.HasPrefix(r, "/etc/x.cf:") {
				t.Errorf("remark without a place: %s", r)
			}
		}
	})
}
