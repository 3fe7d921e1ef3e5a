package main

import (
	"context"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"mailweir/internal/explain"
	"mailweir/internal/textfile"
)

func newExplain() *cobra.Command {
	var c explain.Case
	var asJSON bool
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
			if len(args) == 1 && len(c.To) == 0 {
				return fail(exUsage, "a message needs a recipient: give --to")
			}
			var m *explain.Message
			if len(args) == 1 {
				if m, err = openMessage(args[0], cmd.InOrStdin()); err != nil {
					return err
				}
			}
			t, err := explainCase(cmd.Context(), s, &c, m)
			if err != nil {
				return err
			}
			if asJSON {
				return t.WriteJSON(cmd.OutOrStdout())
			}
			return t.Write(cmd.OutOrStdout())
		},
	}
	addSettings(cmd)
	shows(cmd, findsDaemon)
	flags := cmd.Flags()
	flags.StringVar(&c.Client, "client", "", "`ADDRESS` of the client; without it the message is submitted locally")
	flags.StringVar(&c.Name, "client-name", "", "verified host `NAME` of the client")
	flags.StringVar(&c.Helo, "helo", "", "HELO `NAME`")
	flags.StringVar(&c.Login, "login", "", "`USER` that authenticated")
	flags.StringVar(&c.Service, "service", "mx", "`SERVICE` that the client uses: mx, submission or reinject")
	flags.StringVar(&c.Time, "time", "", "`TIME` at which it happens, as 2026-01-31T15:04:05Z (default now)")
	flags.StringVar(&c.From, "from", "", "`ADDRESS` of the envelope sender, empty for the null sender")
	flags.StringArrayVar(&c.To, "to", nil, "`ADDRESS` of a recipient; may be given several times")
	flags.StringVar(&c.TLS, "tls", "", "TLS `VERSION`, such as TLSv1.3")
	flags.IntVar(&c.Bits, "tls-bits", 0, "`BITS` of the cipher")
	flags.StringVar(&c.Cert, "tls-cert", "", "`SUBJECT` of the client's verified certificate")
	flags.Int64Var(&c.Size, "declared-size", 0, "declared `SIZE` (SIZE=) in octets")
	flags.BoolVar(&c.SMTPUTF8, "smtputf8", false, "the client says SMTPUTF8 (RFC 6531)")
	flags.BoolVar(&c.NoScanners, "no-scanners", false, "do not show the message to --virus-scanner and --spam-scanner")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// explainCase plays a case with what the daemon, or the state, remembers.
func explainCase(ctx context.Context, s *settings, c *explain.Case, m *explain.Message) (*explain.Transcript, error) {
	clock, err := c.Clock()
	if err != nil {
		return nil, &exitError{exUsage, err}
	}
	store, note, err := explainState(ctx, s.daemon, clock)
	if err != nil {
		return nil, err
	}
	x, err := newExplainer(s, store, clock, c.NoScanners, nil)
	if err != nil {
		return nil, &exitError{exConfig, s.placedAll(err)}
	}
	defer x.close()
	also := adoptSuspensions(ctx, *s.daemon.control, x.backends.Lists)
	t, err := explain.Play(x.policy, c, m)
	if err != nil {
		return nil, &exitError{exUsage, err}
	}
	notes := append([]string{note, also}, append(t.Notes, lostNote(store))...)
	t.Notes = slices.DeleteFunc(notes, func(note string) bool { return note == "" })
	return t, nil
}

// openMessage reads a message from a file, or standard input when the name is -.
func openMessage(name string, in io.Reader) (*explain.Message, error) {
	if name != "-" {
		file, err := textfile.Open(name)
		if err != nil {
			return nil, &exitError{exNoInput, err}
		}
		defer file.Close()
		in = file
	}
	m, err := explain.ReadMessage(in)
	if err != nil {
		return nil, &exitError{exNoInput, err}
	}
	return m, nil
}
