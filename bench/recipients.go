package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"mailweir/checks"
	"mailweir/checks/recipient"
	"mailweir/internal/address"
	"mailweir/internal/policy"
	"mailweir/internal/resource"
	"mailweir/internal/runner"
	"mailweir/internal/state"
	"mailweir/test/testbed"
)

// mailboxes is how many recipients the table of the part recipients has.
const mailboxes = 1_000_000

// recipients measures what the check recipient costs where the answer is at hand.
func (b *bench) recipients() error {
	h := b.Part()
	defer h.Close()
	var lines strings.Builder
	for i := range mailboxes {
		fmt.Fprintf(&lines, "user%d@example.org x\n", i)
	}
	file := filepath.Join(testbed.TempDir(h), "recipients")
	if err := os.WriteFile(file, []byte(lines.String()), 0o600); err != nil {
		return err
	}
	fmt.Printf("Whether a recipient exists, where the answer is at hand (one core; median of %d rounds, lowest and highest in brackets):\n\n", b.rounds)
	row("source", "ns a recipient", "allocations")
	row("---", "--:", "--:")
	for _, c := range []struct{ name, source, to string }{
		{"a server's answer in memory", "smtp:next", "user7@example.org"},
		{fmt.Sprintf("a table of %d addresses, there", mailboxes), file, "user7@example.org"},
		{"the same, with an extension", file, "user7+news@example.org"},
	} {
		var took sample
		var allocations float64
		for range b.rounds {
			one, n, err := knownRecipient(c.source, c.to, min(b.duration, time.Second))
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			took, allocations = append(took, one), n
		}
		row(c.name, took, fmt.Sprintf("%.1f", allocations))
	}
	fmt.Println()
	return nil
}

// knownRecipient judges a recipient again and again, and returns how many nanoseconds and
// allocations it takes.
func knownRecipient(source, to string, during time.Duration) (ns, allocations float64, err error) {
	hooks, end, err := recipientHooks("--local-domains=inline:{example.org=x}", "--recipient-source=*="+source)
	if err != nil {
		return 0, 0, err
	}
	defer end()
	conn := &policy.Connection{ConnectFacts: policy.ConnectFacts{Client: netip.MustParseAddr("192.0.2.1"), Port: 25252}}
	r := &policy.Recipient{Address: address.Parse(to), Direction: policy.Inbound, Msg: &policy.Message{Conn: conn}}
	v, err := hooks.Rcpt(r)
	if err == nil && v.Work() != nil { // the first time it is asked
		v, err = v.Work()(context.Background())
	}
	if err != nil || v.Objects() {
		return 0, 0, errors.Join(err, errors.New("the recipient is not known"))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	n, began := 0, time.Now()
	for ; time.Since(began) < during; n += 1000 {
		for range 1000 {
			if _, err := hooks.Rcpt(r); err != nil {
				return 0, 0, err
			}
		}
	}
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	return float64(took.Nanoseconds()) / float64(n), float64(after.Mallocs-before.Mallocs) / float64(n), nil
}

// recipientHooks are those of the check in a policy with these flags.
func recipientHooks(flags ...string) (hooks policy.Hooks, end func(), err error) {
	check := *recipient.Check
	check.Setup = func(f *policy.Flags) policy.Build {
		build := recipient.Check.Setup(f)
		return func(env *policy.Env) (policy.Hooks, error) {
			hooks, err = build(env)
			return hooks, err
		}
	}
	registry := checks.Registry()
	for i, c := range registry.Checks {
		if c == recipient.Check {
			registry.Checks[i] = &check
		}
	}
	set := pflag.NewFlagSet("bench", pflag.ContinueOnError)
	draft := runner.NewDraft(registry, set)
	if err := set.Parse(flags); err != nil {
		return hooks, nil, err
	}
	store := state.NewMemory(time.Now, 1000)
	world := &policy.Backends{Connections: func() int { return 1 }, Clock: time.Now, State: store}
	world.Mailboxes = func(_ *resource.Holder, kind, _ string) (policy.Mailboxes, error) {
		if kind != "smtp" {
			return nil, nil
		}
		return everybody{}, nil
	}
	p, err := draft.Build(world, nil)
	if err != nil {
		return hooks, nil, err
	}
	return hooks, p.Close, nil
}

// everybody is a server that knows everybody.
type everybody struct{}

func (everybody) Ask(context.Context, address.Address, bool) (bool, string, error) {
	return true, "250 2.1.5 Ok", nil
}
func (everybody) Ours(netip.AddrPort, string) bool { return false }
func (everybody) Suspended(string) string          { return "" }
func (everybody) Suspensions() map[string]string   { return nil }
