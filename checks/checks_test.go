package checks

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"mailweir/checks/autoallow"
	"mailweir/internal/policy"
)

var update = flag.Bool("update", false, "write testdata anew")

func TestRegistry(t *testing.T) {
	if err := Registry().Validate(); err != nil {
		t.Error(err)
	}
	for _, c := range Registry().Checks {
		if c.Proof.Why == "" {
			t.Errorf("check %s does not say what is to be known before it is enforced", c.Name)
		}
	}
}

// Every flag of a check begins with the check's name. POLICIES fixes two other names.
func TestFlagNames(t *testing.T) {
	for _, c := range Registry().Checks {
		if c.Setup == nil {
			continue
		}
		set := pflag.NewFlagSet(c.Name, pflag.ContinueOnError)
		c.Setup(policy.NewFlags(set, c.Name))
		set.VisitAll(func(f *pflag.Flag) {
			if !strings.HasPrefix(f.Name, c.Name+"-") && f.Name != "rhsbl-zone" && f.Name != "header-from-names" {
				t.Errorf("%s has --%s", c.Name, f.Name)
			}
			if f.Usage == "" || strings.HasSuffix(f.Usage, ".") {
				t.Errorf("--%s: usage %q is no phrase", f.Name, f.Usage)
			}
		})
	}
}

// What an administrator reads is there, and made of sentences.
func TestWords(t *testing.T) {
	for _, c := range Registry().Checks {
		if c.Title == "" || strings.HasSuffix(c.Title, ".") {
			t.Errorf("%s: title %q is no phrase", c.Name, c.Title)
		}
		if len(strings.Fields(c.Help)) < 10 || !isSentences(c.Help) {
			t.Errorf("%s: help %q is no text", c.Name, c.Help)
		}
		if len(c.Replies) == 0 && c != autoallow.Check { // which only permits
			t.Errorf("%s has no reply", c.Name)
		}
		for _, r := range c.Replies {
			for name, text := range map[string]string{"description": r.Description, "resolution": r.Resolution} {
				if len(strings.Fields(text)) < 5 || !isSentences(text) {
					t.Errorf("reply %s: %s %q is no sentence", r.ID, name, text)
				}
			}
			if r.Description == r.Resolution {
				t.Errorf("reply %s: description and resolution are the same", r.ID)
			}
			if len(r.Row) < 2 || !strings.ContainsAny(r.Row[:1], "TP") {
				t.Errorf("reply %s: row %q", r.ID, r.Row)
			}
		}
	}
}

func isSentences(text string) bool {
	first := text[:1]
	return (strings.ToUpper(first) == first || strings.HasPrefix(text, "mailweir")) && strings.HasSuffix(strings.TrimSpace(text), ".")
}

// The words that clients read change only on purpose.
func TestCatalogue(t *testing.T) {
	var text strings.Builder
	for c, r := range Registry().Replies {
		fmt.Fprintf(&text, "%-4s %-16s %-18s %d %s %s\n", r.Row, c.Name, r.ID, r.Code, r.Enhanced, r.Text)
	}
	const golden = "testdata/replies.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if text.String() != string(want) {
		t.Errorf("the catalogue differs from %s (go test -update writes it):\n%s", golden, text.String())
	}
}
