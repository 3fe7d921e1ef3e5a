package policy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"mailweir/internal/table"
)

// settings are those of these flags.
func settings(t *testing.T, args ...string) (*Settings, error) {
	t.Helper()
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	flags := RegisterSettings(NewFlags(set, ""))
	if err := set.Parse(args); err != nil {
		return nil, err
	}
	return flags.Build(table.NewLoader(nil))
}

func TestSettingsDefaults(t *testing.T) {
	s, err := settings(t)
	if err != nil {
		t.Fatal(err)
	}
	if s.Cap != Enforce || s.AnswerAt != StageRcpt || s.Delimiter != "+" || s.HelpURL != "" || len(s.TrustedNets) != 2 {
		t.Errorf("%+v", s)
	}
	for door, want := range map[string]Service{"25": MX, "465": Submission, "587": Submission, "10026": Reinject} {
		if s.Services[door] != want {
			t.Errorf("door %s is %q, want %s", door, s.Services[door], want)
		}
	}
	if local, err := s.Local(t.Context(), "example.org"); local || err != nil {
		t.Errorf("example.org is ours without --local-domains: %v, %v", local, err)
	}
}

func TestSettings(t *testing.T) {
	s, err := settings(t, "--services=2525=submission ORIGINATING=submission", "--answer-at=mail", "--mode=monitor",
		"--always-accept=Postmaster", "--local-domains=inline:{example.org=x}", "--recipient-delimiter=", "--help-url=https://h.example/x",
		"--trusted-nets=192.0.2.1,[2001:db8::]/32")
	if err != nil {
		t.Fatal(err)
	}
	if s.AnswerAt != StageMail || s.Cap != Monitor || s.AlwaysAccept[0] != "postmaster" || s.Delimiter != "" {
		t.Errorf("%+v", s)
	}
	if got := s.TrustedNets; got[0].String() != "192.0.2.1/32" || got[1].String() != "2001:db8::/32" {
		t.Errorf("trusted nets %v", got)
	}
	for domain, want := range map[string]bool{"example.org": true, "sub.example.org": false, "example.net": false, "": false} {
		if local, err := s.Local(t.Context(), domain); local != want || err != nil {
			t.Errorf("%q is ours: %v, %v", domain, local, err)
		}
	}
	for service, want := range map[Service]string{Submission: "2525", Reinject: "", MX: ""} {
		door, ok := s.Door(service)
		if door != want || ok != (service != Reinject) {
			t.Errorf("a door of %s is %q, %v", service, door, ok)
		}
	}
}

func TestSettingsErrors(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	long := "https://h.example/" + strings.Repeat("x", maxHelpURL-len("https://h.example/"))
	if _, err := settings(t, "--help-url="+long); err != nil {
		t.Errorf("a URL of %d characters: %v", len(long), err)
	}
	for _, c := range []struct{ flag, want string }{
		{"--services=25", `"25" is not DOOR=SERVICE`},
		{"--services==mx", `"=mx" is not DOOR=SERVICE`},
		{"--services=25=msa", `"25=msa" is not DOOR=SERVICE`},
		{"--services=25=mx,25=submission", "25 is given twice, as mx and as submission"},
		{"--trusted-nets=localhost", `--trusted-nets: "localhost" is neither an address nor a net`},
		{"--trusted-nets=192.0.2.1/24", "192.0.2.1/24 has bits beyond its length; write 192.0.2.0/24"},
		{"--answer-at=helo", `--answer-at: "helo" is neither rcpt nor mail`},
		{"--help-url=h.example", "is not a URL"},
		{"--help-url=https:", "is not a URL"},
		{"--help-url=https://h.example/[x]", "is not a URL"},
		{"--help-url=https://h.example/a b", "is not a URL"},
		{"--help-url=" + long + "x", "is not a URL of at most 120"},
		{"--local-domains=" + empty, "there is no domain, so all mail would be taken for relaying"},
		{"--permit-clients=inline:{a=REJECT}", "--permit-clients"},
		{"--enforce-for=/does/not/exist", "--enforce-for"},
	} {
		t.Run(c.flag, func(t *testing.T) {
			if _, err := settings(t, c.flag); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
	if _, err := settings(t, "--services=25=mx,25=mx"); err != nil {
		t.Errorf("the same door twice: %v", err)
	}
}
