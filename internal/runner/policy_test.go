package runner

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"mailweir/internal/policy"
	"mailweir/internal/table"
)

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
			c := check("x", objecting("x", policy.StageRcpt), onError(policy.Accept))
			c.Setup = func(f *policy.Flags) policy.Build {
				f.Tables("list", "", table.Use{})
				f.Int("max", 1, "")
				return nil
			}
			set := pflag.NewFlagSet("test", pflag.ContinueOnError)
			draft := NewDraft((&rig{checks: []*policy.Check{c}}).registry(), set)
			err := set.Parse([]string{flag})
			if err == nil {
				_, err = draft.Build(&policy.Backends{}, nil)
			}
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want one with %q", err, want)
			}
		})
	}
}

// A file of domains that an editor has cut down before it writes must not turn all mail into
// relaying.
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
	_, err := draft.Build(&policy.Backends{}, nil)
	if want := "--local-domains: list:" + empty + ": there is no domain"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one with %q", err, want)
	}
}

func TestRegistryValidate(t *testing.T) {
	for want, change := range map[string]func(*policy.Registry){
		"declared twice":          func(r *policy.Registry) { r.Checks = append(r.Checks, r.Checks[1]) },
		"reply fault is declared": func(r *policy.Registry) { r.Checks[1].Replies = append(r.Checks[1].Replies, testFault) },
		"stands in no stage":      func(r *policy.Registry) { r.Order = nil },
		"is none of the checks": func(r *policy.Registry) {
			r.Order[policy.StageMail] = append(r.Order[policy.StageMail], check("y", policy.Hooks{}))
		},
		"must belong to a check":      func(r *policy.Registry) { r.Unavailable = nil },
		"the check for faults":        func(r *policy.Registry) { r.Fault, r.Checks = nil, r.Checks[1:] },
		"neither 4yz nor 5yz":         func(r *policy.Registry) { r.Checks[1].Replies[0].Code = 200 },
		"with a reply and an on-erro": func(r *policy.Registry) { r.Fault.OnError = policy.Fails },
	} {
		t.Run(want, func(t *testing.T) {
			r := (&rig{checks: []*policy.Check{check("x", policy.Hooks{})}}).registry()
			change(r)
			if err := r.Validate(); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want one with %q", err, want)
			}
		})
	}
}
