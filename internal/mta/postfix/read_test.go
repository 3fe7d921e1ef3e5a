package postfix

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailweir/internal/mta"
	"mailweir/test/testbed"
)

const exampleMain = `compatibility_level = 3.6
other = inet:127.0.0.1:11332
mailweir = { unix:mailweir/mailweir.sock, connect_timeout=30s, default_action=accept }
smtpd_milters = $mailweir, $other
smtpd_milter = typo
mynetworks = 127.0.0.0/8
relay_domains = hash:/etc/postfix/relays, cidr:{{192.0.2.0/24 OK}}
`

const exampleMaster = `smtp inet n - y - 1 postscreen
smtpd pass - - y - - smtpd
submission inet n - y - - smtpd
  -o syslog_name=postfix/$service_name
  -o smtpd_milters=
127.0.0.1:10026 inet n - n - - smtpd
  -o receive_override_options=no_milters -o { smtpd_milters = { inet:192.0.2.1:5, default_action=accept } $other }
  -o other=inet:127.0.0.1:9 -v
10027 inet n - n - - smtpd -o other=inet:127.0.0.1:27
cleanup unix n - y - 0 cleanup
`

// readExample has the machine's postconf print a configuration.
func readExample(t *testing.T, main, master string) *Postfix {
	t.Helper()
	testbed.Require(t, "postfix")
	dir := t.TempDir()
	for name, text := range map[string]string{"main.cf": main, "master.cf": master} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		// postconf waits where a file has just been written.
		past := time.Now().Add(-time.Minute)
		if err := os.Chtimes(filepath.Join(dir, name), past, past); err != nil {
			t.Fatal(err)
		}
	}
	p, err := Read(t.Context(), mta.Programs(20*time.Second), dir)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestReadReal(t *testing.T) {
	p := readExample(t, exampleMain, exampleMaster)
	const ours = "{ unix:mailweir/mailweir.sock, connect_timeout=30s, default_action=accept }"
	for _, test := range []struct{ service, name, want string }{
		{"", "smtpd_milters", ours + ", inet:127.0.0.1:11332"},
		{"", "queue_directory", "/var/spool/postfix"},
		{"smtpd/pass", "smtpd_milters", ours + ", inet:127.0.0.1:11332"},
		{"submission/inet", "smtpd_milters", ""},
		{"submission/inet", "syslog_name", "postfix/submission"},
		{"127.0.0.1:10026/inet", "smtpd_milters", "{ inet:192.0.2.1:5, default_action=accept } inet:127.0.0.1:9"},
		{"127.0.0.1:10026/inet", "receive_override_options", "no_milters"},
		// The value is main.cf's, what it names the service's own.
		{"10027/inet", "smtpd_milters", ours + ", inet:127.0.0.1:27"},
		{"10027/inet", "smtpd_hard_error_limit", "20"},
	} {
		var s *Service
		if test.service != "" {
			if s = p.Service(test.service); s == nil {
				t.Errorf("no service %s", test.service)
				continue
			}
		}
		if got := p.Value(s, test.name); got != test.want {
			t.Errorf("%s of %q is %q, want %q", test.name, test.service, got, test.want)
		}
	}
	var servers []string
	for _, s := range p.SMTPServers() {
		servers = append(servers, s.Key())
	}
	if want := []string{"smtpd/pass", "submission/inet", "127.0.0.1:10026/inet", "10027/inet"}; !slices.Equal(servers, want) {
		t.Errorf("smtpd runs for %q, want %q", servers, want)
	}
	if s := p.Postscreens(); len(s) != 1 || s[0].Key() != "smtp/inet" || !s[0].Chroot || s[0].MaxProc != "1" {
		t.Errorf("postscreen is %+v", s)
	}
	if s := p.Service("127.0.0.1:10026/inet"); s.Chroot || s.Port() != "10026" || s.Args[len(s.Args)-1] != "-v" {
		t.Errorf("got %+v", s)
	}
	if len(p.Warnings) == 0 || !strings.Contains(p.Warnings[0], "smtpd_milter") {
		t.Errorf("warnings are %q", p.Warnings)
	}
	if p.Set["smtpd_milters"] != "$mailweir, $other" {
		t.Errorf("main.cf sets %q", p.Set["smtpd_milters"])
	}
}

func TestInstancesReal(t *testing.T) {
	testbed.Require(t, "postfix")
	instances, err := Instances(t.Context(), mta.Programs(20*time.Second))
	if err != nil || len(instances) == 0 || !strings.HasPrefix(instances[0].Config, "/") {
		t.Errorf("got %+v, %v", instances, err)
	}
}

func TestParseInstances(t *testing.T) {
	got, err := ParseInstances("-               -               y         /etc/postfix\npostfix-out     mta             n         /etc/postfix-out\n")
	want := []Instance{{Enabled: true, Config: "/etc/postfix"}, {Name: "postfix-out", Group: "mta", Config: "/etc/postfix-out"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, text := range []string{"- - y", "- - maybe /etc/postfix"} {
		if _, err := ParseInstances(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

// What cannot be read is an error, and the first one ends the reading.
func TestReadFails(t *testing.T) {
	absent := errors.New("postconf: not found")
	_, err := Read(t.Context(), func(context.Context, string, ...string) (mta.Output, error) { return mta.Output{}, absent }, "")
	if !errors.Is(err, absent) {
		t.Errorf("error %v", err)
	}
	for option, text := range map[string]string{"-x": "nonsense", "-n": "= 1", "-M": "smtp inet n", "-P": "smtp/inet = 1"} {
		_, err := Read(t.Context(), func(_ context.Context, _ string, argv ...string) (mta.Output, error) {
			if argv[len(argv)-1] == option {
				return mta.Output{Stdout: text}, nil
			}
			return mta.Output{}, nil
		}, "")
		if err == nil {
			t.Errorf("%q of %s is taken", text, option)
		}
	}
}

func TestExpand(t *testing.T) {
	p := &Postfix{
		Parameters: map[string]string{"mydomain": "example.org", "empty": "", "stress": ""},
		Set:        map[string]string{"myhostname": "mx.$mydomain", "loop": "a $loop $loop"},
	}
	s := &Service{Name: "submission", Overrides: map[string]string{"mine": "<$myhostname>"}}
	for text, want := range map[string]string{
		"":                           "",
		"plain":                      "plain",
		"$mine":                      "<mx.example.org>",
		"${mydomain}, $(mydomain)":   "example.org, example.org",
		"$mydomain.":                 "example.org.",
		"cost: $$5 and $":            "cost: $5 and $",
		"${empty?yes}${mydomain?no}": "no",
		"${empty:yes}":               "yes",
		"${stress?{1}:{20}}":         "20",
		"${mydomain?{1} : {20}}":     "1",
		"postfix/$service_name":      "postfix/submission",
		"${{a} == {b} ? {c} : {d}}":  "${{a} == {b} ? {c} : {d}}",
		"${unclosed":                 "${unclosed",
		"$nobody.":                   ".",
	} {
		if got := p.expand(s, text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	p.expand(s, "$loop") // ends
}

func TestSplitList(t *testing.T) {
	for text, want := range map[string][]string{
		"":                         nil,
		" a,b\tc ,, d":             {"a", "b", "c", "d"},
		"{ a, b = c } d":           {"{ a, b = c }", "d"},
		"cidr:{{1/8 OK}, {2/8 x}}": {"cidr:{{1/8 OK}, {2/8 x}}"},
		"{ open, a":                {"{ open, a"},
		"a } b":                    {"a", "}", "b"},
	} {
		if got := SplitList(text); !slices.Equal(got, want) {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func TestParseMilters(t *testing.T) {
	const first = "{ unix:mailweir/mailweir.sock, connect_timeout = 30s default_action=accept, default_action=tempfail }"
	_, err := ParseMilters(first + " inet:127.0.0.1:11332, {unix:/x, { name = a b }}")
	if err == nil {
		t.Fatal("a blank beside = is taken, which Postfix takes for words of its own")
	}
	got, err := ParseMilters("{ unix:a, default_action=accept, default_action=tempfail } inet:h:1, {unix:/x, { name = a b }}")
	want := []Milter{
		{Text: "{ unix:a, default_action=accept, default_action=tempfail }", Address: "unix:a", Options: []Setting{{"default_action", "accept"}, {"default_action", "tempfail"}}},
		{Text: "inet:h:1", Address: "inet:h:1"},
		{Text: "{unix:/x, { name = a b }}", Address: "unix:/x", Options: []Setting{{"name", "a b"}}},
	}
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if v, found := got[0].Option("default_action"); v != "tempfail" || !found {
		t.Errorf("default_action is %q", v)
	}
	if _, found := got[1].Option("default_action"); found {
		t.Error("an option that is not there is found")
	}
	for _, wrong := range []string{"{ }", "{ unix:a", "{ unix:a } }", "{unix:a, tempfail}"} {
		if m, err := ParseMilters(wrong); err == nil && wrong != "{ unix:a } }" {
			t.Errorf("%q becomes %+v", wrong, m)
		}
	}
}

func TestParseEndpoint(t *testing.T) {
	for text, want := range map[string]Endpoint{
		"unix:mailweir/mailweir.sock": {Path: "mailweir/mailweir.sock"},
		"local:/run/x.sock":           {Path: "/run/x.sock"},
		"inet:127.0.0.1:8424":         {Host: "127.0.0.1", Port: "8424"},
		"inet:[::1]:8424":             {Host: "::1", Port: "8424"},
		"inet:localhost:milter":       {Host: "localhost", Port: "milter"},
	} {
		if got, err := ParseEndpoint(text); err != nil || got != want {
			t.Errorf("%q becomes %+v, %v", text, got, err)
		}
	}
	for _, wrong := range []string{"", "unix:", "inet:127.0.0.1", "inet:127.0.0.1:", "127.0.0.1:8424"} {
		if _, err := ParseEndpoint(wrong); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}

func TestParseTables(t *testing.T) {
	got := ParseTables("$mydomain proxy:mysql:/etc/postfix/d.cf hash:/etc/x, fec0::/10 /etc/nets cdb:/y 192.0.2.0/24 proxy:unix:passwd.byname inline:{ a=b, c=d }")
	want := []Table{
		{"$mydomain", "", "$mydomain"},
		{"proxy:mysql:/etc/postfix/d.cf", "mysql", "/etc/postfix/d.cf"},
		{"hash:/etc/x", "hash", "/etc/x"},
		{"fec0::/10", "", "fec0::/10"},
		{"/etc/nets", "", "/etc/nets"},
		{"cdb:/y", "cdb", "/y"},
		{"192.0.2.0/24", "", "192.0.2.0/24"},
		{"proxy:unix:passwd.byname", "unix", "passwd.byname"},
		{"inline:{ a=b, c=d }", "inline", "{ a=b, c=d }"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30s": 30 * time.Second, "5m": 5 * time.Minute, "2h": 2 * time.Hour, "1d": 24 * time.Hour, "1w": 7 * 24 * time.Hour, "7": 7 * time.Minute,
	} {
		if got, err := Duration(text, time.Minute); err != nil || got != want {
			t.Errorf("%q becomes %v, %v", text, got, err)
		}
	}
	for _, wrong := range []string{"", "s", "-1s", "1.5s", "soon", "2147483647w"} {
		if got, err := Duration(wrong, time.Second); err == nil {
			t.Errorf("%q becomes %v", wrong, got)
		}
	}
}
