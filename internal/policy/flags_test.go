package policy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

func TestParseDuration(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"0": 0, "90s": 90 * time.Second, "1h30m": 90 * time.Minute, "36d": 36 * 24 * time.Hour, "0d": 0,
		"-1s": -1, "-1d": -1, "1.5d": -1, "d": -1, "": -1, "1": -1, "99999d": -1, "300000000h": -1,
	} {
		got, err := ParseDuration(in)
		if want < 0 && err == nil || want >= 0 && (err != nil || got != want) {
			t.Errorf("%q is %v, %v", in, got, err)
		}
	}
}

func TestParseSize(t *testing.T) {
	for in, want := range map[string]Size{
		"0": 0, "500000": 500000, "64KiB": 64 << 10, "100MiB": 100 << 20, "2 GiB": 2 << 30, "1kB": 1000, "1MB": 1e6, "1GB": 1e9, "7B": 7,
		"-1": -1, "": -1, "MiB": -1, "1TiB": -1, "1.5MiB": -1, "9999999999999GiB": -1, "0x10": -1,
	} {
		got, err := ParseSize(in)
		if want < 0 && err == nil || want >= 0 && (err != nil || got != want) {
			t.Errorf("%q is %v, %v", in, got, err)
		}
	}
}

func TestWrongSettings(t *testing.T) {
	for flag, want := range map[string]string{
		"--services=25":                          "--services: \"25\" is not DOOR=SERVICE",
		"--services=25=smtp":                     "with a service of mx, submission or reinject",
		"--trusted-nets=10.0.0.1/8":              "--trusted-nets: 10.0.0.1/8 has bits beyond its length; write 10.0.0.0/8",
		"--trusted-nets=home":                    "--trusted-nets: \"home\" is neither an address nor a net",
		"--answer-at=data":                       "--answer-at: \"data\" is neither rcpt nor mail",
		"--help-url=help":                        "--help-url: \"help\" is not a URL",
		"--help-url=http://x/[id]":               "--help-url:",
		"--permit-senders=inline:{a=REJECT}":     "--permit-senders: ",
		"--permit-clients=inline:{a=OK perhaps}": "--permit-clients: ",
		"--local-domains=cidr:/no/such/file":     "--local-domains: ",
		"--replies=/no/such/file":                "--replies: ",
		"--mode=strict":                          "\"strict\" is not a mode",
		"--x-on-error=fail":                      "\"fail\" is neither accept nor defer",
		"--x-list=":                              "the value is empty",
		"--x-max=-1":                             "is not a whole number",
	} {
		t.Run(flag, func(t *testing.T) {
			c := check("x", objecting("x", StageRcpt), onError(Accept))
			c.Setup = func(f *Flags) Build {
				f.Tables("list", "")
				f.Int("max", 1, "")
				return nil
			}
			set := pflag.NewFlagSet("test", pflag.ContinueOnError)
			draft := NewDraft((&rig{checks: []*Check{c}}).registry(), set)
			err := set.Parse([]string{flag})
			if err == nil {
				_, err = draft.Build(&World{}, nil)
			}
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want one with %q", err, want)
			}
		})
	}
}

// A file of domains that an editor has cut down before it writes must not turn all mail into relaying.
func TestNoLocalDomain(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "domains")
	if err := os.WriteFile(empty, []byte("# example.org\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	draft := NewDraft((&rig{}).registry(), set)
	if err := set.Parse([]string{"--local-domains=list:" + empty}); err != nil {
		t.Fatal(err)
	}
	_, err := draft.Build(&World{}, nil)
	if want := "--local-domains: list:" + empty + ": there is no domain"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one with %q", err, want)
	}
}

func TestRegistryValidate(t *testing.T) {
	for want, change := range map[string]func(*Registry){
		"declared twice":              func(r *Registry) { r.Checks = append(r.Checks, r.Checks[1]) },
		"reply fault is declared":     func(r *Registry) { r.Checks[1].Replies = append(r.Checks[1].Replies, testFault) },
		"stands in no stage":          func(r *Registry) { r.Order = nil },
		"is none of the checks":       func(r *Registry) { r.Order[StageMail] = append(r.Order[StageMail], check("y", Hooks{})) },
		"must belong to a check":      func(r *Registry) { r.Unavailable = nil },
		"the check for faults":        func(r *Registry) { r.Fault, r.Checks = nil, r.Checks[1:] },
		"neither 4yz nor 5yz":         func(r *Registry) { r.Checks[1].Replies[0].Code = 200 },
		"with a reply and an on-erro": func(r *Registry) { r.Fault.OnError = Fails },
	} {
		t.Run(want, func(t *testing.T) {
			r := (&rig{checks: []*Check{check("x", Hooks{})}}).registry()
			change(r)
			if err := r.Validate(); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want one with %q", err, want)
			}
		})
	}
}

func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"90s", "36d", "-1h", "1e9s", "d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDuration(s)
		if err != nil {
			return
		}
		v := span(d)
		if again, err := ParseDuration(v.String()); d < 0 || err != nil || again != d {
			t.Fatalf("%q is %v, written %s, read again %v, %v", s, d, &v, again, err)
		}
	})
}

func FuzzParseSize(f *testing.F) {
	for _, s := range []string{"1", "64KiB", "9223372036854775807", "4611686018427387904B", "-0", " 1 MB"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseSize(s)
		if err != nil {
			return
		}
		if again, err := ParseSize(n.String()); n < 0 || err != nil || again != n {
			t.Fatalf("%q is %d, written %s, read again %d, %v", s, n, &n, again, err)
		}
	})
}
