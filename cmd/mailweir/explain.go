package main

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"mailweir/internal/policy"
	"mailweir/internal/runner"
	"mailweir/internal/textfile"
)

// explainFlags describe one case.
type explainFlags struct {
	client, name, helo, login, service, at, from string
	tls, cert                                    string
	bits                                         int
	size                                         int64
	to                                           []string
	smtputf8, json, noScanners                   bool
}

func newExplain() *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain [flags] [message.eml]",
		Short: "Run the policy on one case and show what every check says",
		Long: `Runs the same policy as serve on one case and shows what every check says, without side effects. The message comes
from a file, or from standard input with -; without one the case ends at RCPT.

Virus and spam scanners are shown the message and asked as serve would; --no-scanners leaves them out.

The configuration is that of the flags given here, so a setting can be tried before the daemon has it. What checks remember is
read from --state, or through --control where the running daemon holds it. Nothing is written there.`,
		Example: `  mailweir explain --client=192.0.2.1 --from=a@example.net --to=b@example.org message.eml`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fail(exUsage, "explain takes one message, not %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := readSettings(cmd)
			if err != nil {
				return err
			}
			if len(args) == 1 && len(f.to) == 0 {
				return fail(exUsage, "a message needs a recipient: give --to")
			}
			var m *message
			if len(args) == 1 {
				if m, err = openMessage(args[0], cmd.InOrStdin()); err != nil {
					return err
				}
			}
			return explain(cmd.Context(), cmd.OutOrStdout(), s, &f, m)
		},
	}
	addSettings(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.client, "client", "", "`ADDRESS` of the client; without it the message is submitted locally")
	flags.StringVar(&f.name, "client-name", "", "verified host `NAME` of the client")
	flags.StringVar(&f.helo, "helo", "", "HELO `NAME`")
	flags.StringVar(&f.login, "login", "", "`USER` that authenticated")
	flags.StringVar(&f.service, "service", "mx", "`SERVICE` that the client uses: mx, submission or reinject")
	flags.StringVar(&f.at, "time", "", "`TIME` at which it happens, as 2026-01-31T15:04:05Z (default now)")
	flags.StringVar(&f.from, "from", "", "`ADDRESS` of the envelope sender, empty for the null sender")
	flags.StringArrayVar(&f.to, "to", nil, "`ADDRESS` of a recipient; may be given several times")
	flags.StringVar(&f.tls, "tls", "", "TLS `VERSION`, such as TLSv1.3")
	flags.IntVar(&f.bits, "tls-bits", 0, "`BITS` of the cipher")
	flags.StringVar(&f.cert, "tls-cert", "", "`SUBJECT` of the client's verified certificate")
	flags.Int64Var(&f.size, "declared-size", 0, "declared `SIZE` (SIZE=) in octets")
	flags.BoolVar(&f.smtputf8, "smtputf8", false, "the client says SMTPUTF8 (RFC 6531)")
	flags.BoolVar(&f.noScanners, "no-scanners", false, "do not show the message to --virus-scanner and --spam-scanner")
	flags.BoolVar(&f.json, "json", false, "print JSON")
	return cmd
}

func explain(ctx context.Context, out io.Writer, s *settings, f *explainFlags, m *message) error {
	clock := time.Now
	if f.at != "" {
		at, err := time.Parse(time.RFC3339, f.at)
		if err != nil {
			return fail(exUsage, "--time: %q is not a time such as 2026-01-31T15:04:05Z", f.at)
		}
		clock = func() time.Time { return at }
	}
	store, note, err := explainState(ctx, s.daemon, clock)
	if err != nil {
		return err
	}
	backends, err := openBackends(s.daemon, quietLog(), clock, store)
	if err != nil {
		_ = store.Close()
		return &exitError{exConfig, err}
	}
	defer closeBackends(backends)
	backends.Explaining, backends.NoScanners = true, f.noScanners
	p, err := s.draft.Build(backends, nil)
	if err != nil {
		return &exitError{exConfig, err}
	}
	facts, err := f.connection(p.Settings)
	if err != nil {
		return &exitError{exUsage, err}
	}
	waitReady(p)
	var t transcript
	for _, note := range []string{note, adoptSuspensions(ctx, *s.daemon.control, backends.Lists)} {
		if note != "" {
			t.Notes = append(t.Notes, note)
		}
	}
	rn := runner.NewRunner(p, silent{}, runner.DefaultLimits)
	session := rn.NewExplainer(t.tell)
	t.play(session, facts, f, m)
	session.Close()
	rn.Close()
	if note := lostNote(store); note != "" {
		t.Notes = append(t.Notes, note)
	}
	t.off(p)
	if f.json {
		return t.writeJSON(out)
	}
	return t.write(out)
}

func (f *explainFlags) connection(s *policy.Settings) (policy.ConnectFacts, error) {
	facts := policy.ConnectFacts{Name: f.name}
	if f.client == "" {
		facts.NoNetwork = true
	} else {
		client, err := netip.ParseAddr(f.client)
		if err != nil {
			return facts, errors.New("--client: " + err.Error())
		}
		facts.Client, facts.Port = client, 25
	}
	door, ok := s.Door(policy.Service(f.service))
	if !ok {
		return facts, errors.New("--service: no door of --services is " + f.service)
	}
	facts.DaemonName = door
	return facts, nil
}

// silent takes events and does nothing with them.
type silent struct{}

func (silent) Identify(*policy.Event) string    { return "" }
func (silent) Record(*policy.Event)             {}
func (silent) Settled(*policy.Transaction)      {}
func (silent) Defect(error)                     {}
func (silent) Dropped()                         {}
func (silent) Opened(*policy.Connection)        {}
func (silent) Closed(*policy.Connection)        {}
func (silent) Took(policy.Stage, time.Duration) {}

// openMessage reads a message from a file, or standard input when the name is -.
func openMessage(name string, in io.Reader) (*message, error) {
	if name != "-" {
		file, err := textfile.Open(name)
		if err != nil {
			return nil, &exitError{exNoInput, err}
		}
		defer file.Close()
		in = file
	}
	m, err := readMessage(in)
	if err != nil {
		return nil, &exitError{exNoInput, err}
	}
	return m, nil
}
