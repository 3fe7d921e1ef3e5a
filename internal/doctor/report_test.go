package doctor

import (
	"encoding/json"
	"errors"
	"flag"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// The whole report of a host on which much is wrong.
func TestReportGolden(t *testing.T) {
	f := healthy()
	for _, change := range []func(*Facts){
		set("smtpd_milters", "{ unix:mailweir/mailweir.sock, default_action=reject }"),
		daemon(func(d *Daemon) { d.ReloadFailed = "list:1: x" }),
		func(f *Facts) { f.Clock.Value.Synchronised = false },
		func(f *Facts) { f.Late = []string{"backends"} },
	} {
		change(f)
	}
	r := Examine(f, []string{"disk"})
	var text, inJSON strings.Builder
	if err := errors.Join(r.WriteText(&text), r.WriteJSON(&inJSON)); err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]string{"testdata/report.txt": text.String(), "testdata/report.json": inJSON.String()} {
		if *update {
			if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got); d != "" {
			t.Errorf("%s:\n%s", name, d)
		}
	}
	var read struct {
		Version  int
		Findings []struct{ Level, What, Why string }
	}
	if err := json.Unmarshal([]byte(inJSON.String()), &read); err != nil || read.Version != 1 || len(read.Findings) != len(r.Findings) {
		t.Errorf("read back: %v, %d findings", err, len(read.Findings))
	}
}

// A host in order needs nothing, and what is unknown is no reason to act.
func TestExit(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Facts)
		skip   string
		want   int
	}{
		"in order":           {func(*Facts) {}, "", 0},
		"not readable":       {func(f *Facts) { f.Unit, f.Daemon = NotKnown[Unit](errTest), NotKnown[Daemon](errTest) }, "", 0},
		"a remark":           {set("soft_bounce", "yes"), "", 1},
		"a remark, skipped":  {set("soft_bounce", "yes"), "soft-bounce", 0},
		"a fault":            {func(f *Facts) { f.Config.Wrong = []string{"x"} }, "", 2},
		"a fault and others": {all(func(f *Facts) { f.Config.Wrong = []string{"x"} }, set("soft_bounce", "yes")), "", 2},
	} {
		f := healthy()
		test.change(f)
		r := Examine(f, strings.Fields(test.skip))
		if got := r.Exit(); got != test.want {
			t.Errorf("%s: %d, want %d:\n%v", name, got, test.want, r.Findings)
		}
	}
}

// A host with nothing on it is looked at without harm.
func TestEmptyFacts(t *testing.T) {
	if r := Examine(&Facts{}, nil); r.Exit() != 0 {
		t.Errorf("got %v", r.Findings)
	}
}

// Each examination can be looked up and is explained.
func TestDeclarations(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range Examinations() {
		if e.ID == "" || seen[e.ID] || e.ID != strings.ToLower(e.ID) || strings.Contains(e.ID, " ") {
			t.Errorf("the id %q", e.ID)
		}
		seen[e.ID] = true
		for what, text := range map[string]string{"About": e.About, "Title": e.Title, "Meaning": e.Meaning, "Remedy": e.Remedy} {
			if text == "" {
				t.Errorf("%s has no %s", e.ID, what)
			}
		}
		if strings.HasSuffix(e.Title, ".") || !strings.HasSuffix(e.Meaning, ".") {
			t.Errorf("%s: a title has no full stop, a meaning has", e.ID)
		}
	}
}

func TestQuoted(t *testing.T) {
	for word, want := range map[string]string{"": "''", "a=b/c.d": "a=b/c.d", "a b": "'a b'", "it's": `'it'\''s'`, "$x": "'$x'", "{a}": "'{a}'"} {
		if got := quoted(word); got != want {
			t.Errorf("%q becomes %s, want %s", word, got, want)
		}
	}
}

func TestDense(t *testing.T) {
	for value, want := range map[string]string{
		"a, b  c":                     "a,b,c",
		"{ unix:x, a=b, c=d }, inet:": "{unix:x,a=b,c=d},inet:",
		"":                            "",
	} {
		if got := dense(value); got != want {
			t.Errorf("%q becomes %q, want %q", value, got, want)
		}
	}
}

func TestPlaces(t *testing.T) {
	for _, test := range []struct {
		at      place
		address string
		want    bool
	}{
		{place{path: "/run/m/s"}, "unix:/run/m/s", true},
		{place{path: "/var/run/m/s"}, "unix:/run/m/./s", true},
		{place{path: "/run/m/s"}, "local:/run/m/s", true},
		{place{path: "/run/m/s"}, "unix:/run/m/t", false},
		{place{path: "/run/m/s"}, "inet:127.0.0.1:1", false},
		{place{host: "127.0.0.1", port: "8424"}, "inet:127.0.0.1:8424", true},
		{place{host: "localhost", port: "8424"}, "inet:[::1]:8424", true},
		{place{host: "192.0.2.1", port: "8424"}, "inet:0.0.0.0:8424", true},
		{place{host: "192.0.2.1", port: "8424"}, "inet::8424", true},
		{place{host: "192.0.2.1", port: "8424"}, "inet:127.0.0.1:8424", false},
		{place{host: "127.0.0.1", port: "8425"}, "inet:127.0.0.1:8424", false},
		{place{host: "127.0.0.1", port: "8424"}, "unix:/x", false},
		{place{host: "127.0.0.1", port: "8424"}, "inet", false},
	} {
		if got := test.at.is(test.address); got != test.want {
			t.Errorf("%+v is %s: %t, want %t", test.at, test.address, got, test.want)
		}
	}
}

func TestPlaceText(t *testing.T) {
	for want, at := range map[string]place{"/run/s": {path: "/run/s"}, "[::1]:8424": {host: "::1", port: "8424"}, "localhost:8424": {host: "localhost", port: "8424"}} {
		if got := at.String(); got != want {
			t.Errorf("%+v is %s, want %s", at, got, want)
		}
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[uint64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1 << 20: "1.0 MiB", 3 << 29: "1.5 GiB", 1 << 62: "4.0 EiB"} {
		if got := size(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}

func TestMost(t *testing.T) {
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	c := &Clients{Messages: 4, Counts: map[netip.Addr]int{a: 1, b: 3}}
	if client, share := c.Most(); client != b || share != 0.75 {
		t.Errorf("got %s, %v", client, share)
	}
	for range 20 { // the order of a map is no order
		if client, _ := (&Clients{Messages: 2, Counts: map[netip.Addr]int{b: 1, a: 1}}).Most(); client != a {
			t.Fatalf("of two alike it is %s", client)
		}
	}
	if client, share := (&Clients{}).Most(); client.IsValid() || share != 0 {
		t.Errorf("of nobody: %s, %v", client, share)
	}
}

func TestParseUnit(t *testing.T) {
	u := parseUnit("mailweir.service", "LoadState=loaded\nActiveState=failed\nSubState=dead\nUnitFileState=disabled\n")
	if u.Err != nil || *u.Value != (Unit{"mailweir.service", "failed", "dead", "disabled"}) {
		t.Errorf("got %+v", u)
	}
	if u := parseUnit("x", "LoadState=not-found\nActiveState=inactive\n"); u.Value != nil || u.Err != nil {
		t.Errorf("of no unit: %+v", u)
	}
}

func TestParseSockets(t *testing.T) {
	got := parseSockets("Listen=/run/mailweir/mailweir.sock (Stream)\nListen=127.0.0.1:8424 (Stream)\nListen=/x (Datagram)\nId=y\n")
	if want := []string{"unix:/run/mailweir/mailweir.sock", "inet:127.0.0.1:8424"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
