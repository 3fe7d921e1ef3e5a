package runner

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailweir/internal/policy"
)

func TestOverrides(t *testing.T) {
	r := newRig(t, "", check("x", objecting("x", policy.StageRcpt)))
	for name, tt := range map[string]struct{ text, want string }{
		"good":        {"# ours\n\n x  554 5.7.9  Go   away\r\n", ""},
		"unknown":     {"\ny 550 5.7.1 x\n", `FILE:2: there is no reply "y"`},
		"twice":       {"x 550 5.7.1 a\nx 550 5.7.1 b\n", "FILE:2: reply x is overridden twice"},
		"short":       {"x 550 5.7.1\n", "FILE:1: write ID CODE X.Y.Z Text"},
		"code":        {"x +550 5.7.1 a\n", `FILE:1: reply x: "+550" is not a reply code`},
		"class":       {"x 450 5.7.1 a\n", "FILE:1: reply x: enhanced code 5.7.1 is not of the class of 450"},
		"placeholder": {"x 550 5.7.1 {zone}\n", "FILE:1: reply x: text has {zone}"},
		"long line":   {"x 550 5.7.1 " + strings.Repeat("a", 100_000), "FILE:1: reply x: text"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseReplies("FILE", tt.text, r.registry())
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want)) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestOverrideIsAnswered(t *testing.T) {
	file := filepath.Join(t.TempDir(), "replies")
	if err := os.WriteFile(file, []byte("x 554 5.7.9 Not here\nfault 451 4.3.5 Oops\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := check("x", policy.Hooks{})
	c.Setup = func(*policy.Flags) policy.Build {
		return func(*policy.Env) (policy.Hooks, error) {
			return policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) { return policy.Object(c.Replies[0]), nil }}, nil
		}
	}
	r := newRig(t, "--replies="+file, c)
	wantSaid(t, r.send(mail("a@ours.example")), "rcpt a@ours.example 554 5.7.9 Not here")
}

func FuzzOverrides(f *testing.F) {
	registry := (&rig{checks: []*policy.Check{check("x", policy.Hooks{})}}).registry()
	for _, s := range []string{"x 550 5.7.1 Text", "# c\n\nfault 451 4.3.0 {a}", "x 550 5.7.1 \xff", "x 999 5 a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		replies, err := parseReplies("FILE", text, registry)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "FILE:") {
				t.Fatalf("error %v names no line", err)
			}
			return
		}
		for declared, own := range replies {
			if err := own.Validate(); err != nil || own.ID != declared.ID {
				t.Fatalf("%+v for %s: %v", own, declared.ID, err)
			}
		}
	})
}
