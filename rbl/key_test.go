package rbl

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailweir/internal/dns"
	"mailweir/internal/dns/dnstest"
)

const testSecret = "s3cr3tk3y0123456789abcdef"

// keyFile is a file with a key, as --rbl-key names it.
func keyFile(t testing.TB, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// A key goes out on the wire and nowhere else, whatever a list sends back and however a value is
// printed.
func TestKeyNeverShows(t *testing.T) {
	name, key, err := ParseKey("DQS=" + keyFile(t, "  "+strings.ToUpper(testSecret)+"\n"))
	if err != nil || name != "DQS" {
		t.Fatal(name, err)
	}
	b := hastyBench(t)
	asked := testSecret + ".zen.dq.spamhaus.net"
	tells := `TXT "listed by ` + strings.ToUpper(testSecret) + `.zen.dq.spamhaus.net, see https://x.example/` + testSecret + `"`
	b.liar.Set(asked, except(func(key string, m *dnstest.Msg, tcp bool) [][]byte {
		switch key {
		case "99.2.0.192":
			return dnstest.One(dnstest.Has(m, "300", "A 127.0.0.2", tells))
		case "98.2.0.192":
			return dnstest.One(dnstest.Has(m, "300", "A 127.255.255.254"))
		case "97.2.0.192":
			return dnstest.One(dnstest.Rcode(m, dnstest.ServerFailure))
		case "96.2.0.192":
			return dnstest.One(dnstest.Has(m, "300", "A 127.0.0.99"))
		case "95.2.0.192":
			return nil
		}
		return dnstest.One(dnstest.NX(m))
	}))
	entries, err := Parse(Addresses, []string{"{DQS}.zen.dq.spamhaus.net"})
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]Secret{"DQS": key}
	s := b.set(t, SetOptions{Keys: keys}, "{DQS}.zen.dq.spamhaus.net")
	var out strings.Builder
	show := func(values ...any) {
		for _, v := range values {
			fmt.Fprintf(&out, "%v\n%+v\n%#v\n%s\n%q\n", v, v, v, v, v)
			if j, err := json.Marshal(v); err == nil {
				out.Write(j)
			}
		}
	}
	for i := 95; i <= 99; i++ {
		r := look(t, s, fmt.Sprintf("192.0.2.%d", i))
		show(r, *r, r.Err(), r.Hits(), r.Lists, r.Exchanges)
		for _, e := range r.Exchanges {
			show(e, e.Question, e.Answer, e.Answer.String())
		}
	}
	r := look(t, s, "192.0.2.99")
	if r.Verdict != Listed || r.Reason != "listed by {DQS}.zen.dq.spamhaus.net, see https://x.example/{DQS}" {
		t.Errorf("%v %q", r.Verdict, r.Reason)
	}
	for range failureLimit {
		b.lists.report(s.members[0].list.failed(b.clock.Now(), new(int), r.Lists[0].Reason)...)
	}
	_, missing := b.lists.NewSet(entries, SetOptions{})
	show(missing, s.Test(background(t), "nope.example"))
	b.lists.Close()
	b.res.Close() // printing looks at what goroutines would change
	show(s, s.members, s.members[0].list, b.lists.Status(), b.log.changes, b.log.take(), b.res.Stats(), entries, keys, key, &key)
	show(s.members[0].list.question(dns.A, "1.2.3.4"), b.lists, b.res)
	if strings.Contains(strings.ToLower(out.String()), testSecret) {
		at := strings.Index(strings.ToLower(out.String()), testSecret)
		t.Errorf("the key shows: …%s…", out.String()[max(0, at-200):at+60])
	}
	if b.liar.Count("A 99.2.0.192."+asked) != 1 {
		t.Error("the key was not on the wire either")
	}
}

func TestKeyErrors(t *testing.T) {
	for spec, want := range map[string]string{
		"DQS":                                "write NAME=FILE",
		"D S=x":                              "write NAME=FILE",
		"DQS=":                               "write NAME=FILE",
		"DQS=/nonexistent/key":               "no such file",
		"DQS=" + keyFile(t, ""):              ":1: not a usable key",
		"DQS=" + keyFile(t, "secret two"):    ":1: not a usable key",
		"DQS=" + keyFile(t, "secret.dotted"): ":1: not a usable key",
	} {
		_, _, err := ParseKey(spec)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret ") || strings.Contains(err.Error(), "secret.") {
			t.Errorf("%s: %v", spec, err)
		}
	}
	b := newBench(t)
	entries, err := Parse(Addresses, []string{"{DQS}.zen.dq.spamhaus.net"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.lists.NewSet(entries, SetOptions{}); err == nil || !strings.Contains(err.Error(), "no key is named DQS: add --rbl-key DQS=FILE") {
		t.Error(err)
	}
}

// The text of a reply: the list's own where it is fit, else its page, else its name.
func TestReasons(t *testing.T) {
	known := &zoneInfo{page: "https://x.example/?ip=$client"}
	text := func(s ...string) *dns.Answer { return &dns.Answer{Status: dns.Found, Texts: s} }
	tests := []struct {
		name string
		info *zoneInfo
		txt  *dns.Answer
		want string
	}{
		{"own text", known, text("Listed, see https://x.example/1"), "Listed, see https://x.example/1"},
		{"second text", known, text(" \n ", "second"), "second"},
		{"no text", known, &dns.Answer{Status: dns.NoName}, "https://x.example/?ip=192.0.2.99"},
		{"not asked", known, nil, "https://x.example/?ip=192.0.2.99"},
		{"no data, unknown list", nil, &nothing, "bl.example"},
		{"unknown list", nil, nil, "bl.example"},
		{"unfit", nil, text("\x00\x01é"), "bl.example"},
		{"line breaks", nil, text("a\r\n550 b\t[c]"), "a 550 b (c)"},
		{"too long", nil, text(strings.Repeat("x", 500)), strings.Repeat("x", 200)},
		{"too long, words", nil, text(strings.Repeat("word ", 100)), strings.TrimSpace(strings.Repeat("word ", 40))},
	}
	for _, tt := range tests {
		li := &list{zone: "bl.example", info: tt.info}
		if got := li.reason(tt.txt, "192.0.2.99"); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
