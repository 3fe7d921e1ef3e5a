package sendmail

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailweir/internal/mta"
	"mailweir/test/testbed"
)

const unpacked = "/var/cache/mailweir-test/sendmail"

const exampleMC = `divert(-1)dnl
# An example: it isn't "quoted".
divert(0)dnl
define(` + "`_CF_DIR_', `" + unpacked + "/usr/share/sendmail/cf/')dnl\ninclude(`" + unpacked + "/usr/share/sendmail/cf/m4/cf.m4')dnl" + `
OSTYPE(` + "`linux'" + `)dnl
define(` + "`confMAX_MESSAGE_SIZE', `20000000'" + `)dnl
define(` + "`confBAD_RCPT_THROTTLE',`3'" + `)dnl
dnl INPUT_MAIL_FILTER(` + "`old', `S=inet:1@127.0.0.1'" + `)
FEATURE(` + "`no_default_msa'" + `)dnl
DAEMON_OPTIONS(` + "`Name=MX, Family=inet, Addr=127.0.0.1, Port=2525'" + `)dnl
DAEMON_OPTIONS(` + "`Name=REINJECT, Family=inet, Addr=127.0.0.1, Port=10026, InputMailFilters='" + `)dnl
DAEMON_OPTIONS(` + "`Name=BOTH, Addr=127.0.0.1, Port=10027, I=other;mailweir'" + `)dnl
INPUT_MAIL_FILTER(` + "`mailweir', `S=inet:8424@127.0.0.1, F=T, T=C:10s;S:10s;R:20s;E:2m'" + `)dnl
MAIL_FILTER(` + "`other', `S=unix:/run/other.sock'" + `)dnl
MAILER(` + "`smtp'" + `)dnl
LOCAL_CONFIG
Cwexample.org example.net
Fw-o /etc/mail/local-host-names
Kmine hash /etc/mail/mine
`

// readReal has m4 make a cf file of an mc file, as sendmailconfig does.
func readReal(t *testing.T, mc string) (path string, cf *CF) {
	t.Helper()
	testbed.Require(t, "sendmail")
	m4 := exec.Command("m4", "-")
	m4.Stdin = strings.NewReader(mc)
	text, err := m4.Output()
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "sendmail.cf")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if cf, err = ReadCF(path); err != nil {
		t.Fatal(err)
	}
	return path, cf
}

func TestReadReal(t *testing.T) {
	_, cf := readReal(t, exampleMC)
	for name, want := range map[string]string{"MaxMessageSize": "20000000", "BadRcptThrottle": "3", "MaxRecipientsPerMessage": "", "InputMailFilters": "mailweir"} {
		if got := cf.Options[name]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	want := []Filter{
		{Name: "mailweir", Socket: "inet:8424@127.0.0.1", Flags: "T", Connect: 10 * time.Second, Send: 10 * time.Second, Read: 20 * time.Second, End: 2 * time.Minute},
		{Name: "other", Socket: "unix:/run/other.sock", Connect: 5 * time.Minute, Send: 10 * time.Second, Read: 10 * time.Second, End: 5 * time.Minute},
	}
	got := slices.Clone(cf.Filters)
	for i := range got {
		if got[i].Line == 0 {
			t.Errorf("%s has no line", got[i].Name)
		}
		got[i].Line = 0
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	filters := make(map[string][]string)
	for i := range cf.Daemons {
		filters[cf.Daemons[i].Name+" "+cf.Daemons[i].Port] = cf.InputFilters(&cf.Daemons[i])
	}
	if d := cmp.Diff(map[string][]string{"MX 2525": {"mailweir"}, "REINJECT 10026": {}, "BOTH 10027": {"other", "mailweir"}}, filters); d != "" {
		t.Error(d)
	}
	if !slices.Contains(cf.Classes["w"], "example.net") || !slices.Contains(cf.ClassFiles["w"], "-o /etc/mail/local-host-names") || cf.Maps["mine"] != "hash /etc/mail/mine" {
		t.Errorf("classes %v, files %v, maps %v", cf.Classes["w"], cf.ClassFiles, cf.Maps["mine"])
	}
	if cf.Filter("other") == nil || cf.Filter("nobody") != nil {
		t.Error("a filter is not found by its name")
	}
}

// A later define drops the filter of INPUT_MAIL_FILTER: its X line stays, and nobody asks it.
func TestDropped(t *testing.T) {
	_, cf := readReal(t, exampleMC+"define(`confINPUT_MAIL_FILTERS', `other')dnl\n")
	if cf.Filter("mailweir") == nil || slices.Contains(cf.InputFilters(nil), "mailweir") {
		t.Errorf("asked are %q", cf.InputFilters(nil))
	}
}

func TestReadCompiledReal(t *testing.T) {
	path, _ := readReal(t, exampleMC)
	lib, _ := filepath.Glob(unpacked + "/usr/lib/*/libwrap.so.0")
	if len(lib) == 0 {
		lib = []string{"/"}
	}
	programs := mta.Programs(20*time.Second, "LD_LIBRARY_PATH="+filepath.Dir(lib[0]))
	// Sendmail waits a minute where the name of its host has no dot.
	inHost := func(ctx context.Context, stdin string, argv ...string) (mta.Output, error) {
		named := []string{"unshare", "--uts", "sh", "-c", `hostname mx.test.example && exec "$0" "$@"`}
		return programs(ctx, stdin, append(named, argv...)...)
	}
	testbed.Require(t, "root")
	c, err := ReadCompiled(t.Context(), inHost, unpacked+"/usr/libexec/sendmail/sendmail", path)
	if err != nil || !c.Has("MILTER") || c.Has("MILTE") || !strings.HasPrefix(c.Version, "8.") {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestParseCompiled(t *testing.T) {
	c := ParseCompiled("Version 8.17.1.9\n Compiled with: DNSMAP MATCHGECOS MAXDAEMONS=64\n\t\tMILTER\n\t\tMIME7TO8\n\n====\n\t\tNOTHING\n")
	want := Compiled{Version: "8.17.1.9", With: []string{"DNSMAP", "MATCHGECOS", "MAXDAEMONS=64", "MILTER", "MIME7TO8"}}
	if d := cmp.Diff(want, c); d != "" {
		t.Error(d)
	}
}

func TestParseFilter(t *testing.T) {
	for text, want := range map[string]Filter{
		"a, S=unix:/x, F=T, T=C:1m;E:2h": {Name: "a", Socket: "unix:/x", Flags: "T", Connect: time.Minute, Send: 10 * time.Second, Read: 10 * time.Second, End: 2 * time.Hour},
		"a":                              {Name: "a", Connect: 5 * time.Minute, Send: 10 * time.Second, Read: 10 * time.Second, End: 5 * time.Minute},
	} {
		if d := cmp.Diff(want, ParseFilter(text)); d != "" {
			t.Errorf("%q: %s", text, d)
		}
	}
	for _, wrong := range []string{"a, S=x, what", "a, Q=1", "a, T=R:soon", "a, T=Z:1s", "a, T=R:20"} {
		if f := ParseFilter(wrong); f.Wrong == "" {
			t.Errorf("%q is taken: %+v", wrong, f)
		}
	}
}

func TestParseCF(t *testing.T) {
	cf := ParseCF("# O MaxMessageSize=1\nO InputMailFilters=a,\n\tb\nO inputmailfilters=c; d\nOA/etc/aliases\nX\nC{tls}one two\nO\n")
	if got := cf.InputFilters(nil); !slices.Equal(got, []string{"c", "d"}) {
		t.Errorf("filters %q", got)
	}
	if got := cf.Classes["tls"]; !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("class %q", got)
	}
	if _, ok := cf.Options["MaxMessageSize"]; ok {
		t.Error("a comment is read")
	}
}
