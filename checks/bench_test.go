package checks

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"mailweir/internal/policy"
	"mailweir/internal/policytest"
	"mailweir/internal/runner"
	"mailweir/internal/state"
)

// BenchmarkDefaultPolicy plays one message a connection, of 20 header fields and 8 KiB, through the
// policy that serve has without flags, except that it asks no name server about SPF. Every
// recipient is new to its client and sender.
func BenchmarkDefaultPolicy(b *testing.B) {
	for _, name := range []string{"memory", "file"} {
		b.Run(name, func(b *testing.B) {
			spec := "memory:"
			if name == "file" {
				spec = "file:" + b.TempDir()
			}
			store, err := state.Open(b.Context(), spec, state.Options{Clock: time.Now, Rows: 1_000_000})
			if err != nil {
				b.Fatal(err)
			}
			defer store.Close()
			set := pflag.NewFlagSet("bench", pflag.ContinueOnError)
			draft := runner.NewDraft(Registry(), set)
			if err := set.Parse([]string{"--greylist-skip-spf=no"}); err != nil {
				b.Fatal(err)
			}
			p, err := draft.Build(&policy.Backends{Connections: func() int { return 1 }, Clock: time.Now, State: store}, nil)
			if err != nil {
				b.Fatal(err)
			}
			rn := runner.NewRunner(p, policytest.Onlooker{}, runner.DefaultLimits)
			defer rn.Close()
			header := []string{"From: Alice <sender@else.example>", "To: user@ours.example", "Content-Type: text/plain; charset=utf-8"}
			for i := range 17 {
				header = append(header, fmt.Sprintf("X-Field-%d: %s", i, strings.Repeat("word ", 8)))
			}
			l := policytest.Letter{Header: header, Body: strings.Repeat(strings.Repeat("words and ", 7)+"\r\n", 114)}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				l.To = []string{fmt.Sprintf("user%d@ours.example", i)}
				s := rn.NewSession()
				if said := l.Send(s); len(said) > 0 {
					b.Fatal(said)
				}
				s.Close()
			}
		})
	}
}
