package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mailweir/checks"
	"mailweir/internal/control"
	"mailweir/internal/policy"
)

func newGreylist() *cobra.Command {
	return group("greylist", "Look at what greylisting remembers, let mail pass, forget", newGreylistShow(), newGreylistPass(), newGreylistFlush())
}

// greylistRequest is a command about the triplets that a filter chooses.
type greylistRequest struct {
	checks.GreylistFilter
	Limit  int           `json:"limit,omitempty"`
	Keep   time.Duration `json:"keep,omitempty"`
	Passes int           `json:"passes,omitempty"`
	Note   string        `json:"note,omitempty"`
}

var greylistShow = runtimeCommand[greylistRequest, []checks.GreylistRow]{"greylist/show", func(ctx context.Context, w commandWorld, r greylistRequest) ([]checks.GreylistRow, error) {
	rows, err := checks.ShowGreylist(ctx, w.Store, r.GreylistFilter, r.Limit)
	return rows, r.explain(err)
}}

var greylistPass = runtimeCommand[greylistRequest, int]{"greylist/pass", func(ctx context.Context, w commandWorld, r greylistRequest) (int, error) {
	n, err := checks.PassGreylist(ctx, w.Store, w.entered(r.Note), r.Keep, r.Passes, r.GreylistFilter)
	return n, r.explain(err)
}}

var greylistFlush = runtimeCommand[greylistRequest, int]{"greylist/flush", func(ctx context.Context, w commandWorld, r greylistRequest) (int, error) {
	n, err := checks.FlushGreylist(ctx, w.Store, r.GreylistFilter)
	return n, r.explain(err)
}}

func (d *daemon) handleGreylist(s *control.Server) {
	greylistShow.register(d, s)
	greylistPass.register(d, s)
	greylistFlush.register(d, s)
}

// explain tells the caller's mistakes from failures of the state.
func (r greylistRequest) explain(err error) error {
	if err != nil && r.Validate() != nil {
		return control.Errorf("--client: %v", err)
	}
	return err
}

// chosen reports whether the filter leaves anything out.
func (r greylistRequest) chosen() bool { return r.Client != "" || r.Sender != "" || r.Recipient != "" }

// greylistCommand makes a command with the flags of a filter; run gets what they say.
func greylistCommand(cmd *cobra.Command, run func(cmd *cobra.Command, r greylistRequest) error) *cobra.Command {
	var r greylistRequest
	cmd.Args = noArguments
	addSettings(cmd)
	cmd.Flags().StringVar(&r.Client, "client", "", "of this client's net: an address, or a net as it is shown")
	cmd.Flags().StringVar(&r.Sender, "from", "", "of this sender, <> for the null sender")
	cmd.Flags().StringVar(&r.Recipient, "to", "", "to this recipient")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		s, err := readSettings(cmd)
		if err != nil {
			return err
		}
		if err := r.readPolicy(s.flags); err != nil {
			return &exitError{exConfig, err}
		}
		return run(cmd, r)
	}
	return cmd
}

// readPolicy takes from the configuration what turns addresses into keys, and how long what passes is known.
func (r *greylistRequest) readPolicy(flags *pflag.FlagSet) (err error) {
	value := func(name string) string { return flags.Lookup(name).Value.String() }
	number := func(name string) int {
		n, failure := strconv.Atoi(value(name))
		if failure != nil && err == nil {
			err = fmt.Errorf("--%s: %w", name, failure)
		}
		return n
	}
	r.Nets = checks.GreylistNets{IPv4: number("greylist-ipv4"), IPv6: number("greylist-ipv6")}
	r.Passes, r.Delimiter = number("greylist-client-passes"), value("recipient-delimiter")
	if err != nil {
		return err
	}
	r.Keep, err = policy.ParseDuration(value("greylist-keep"))
	return err
}

func newGreylistShow() *cobra.Command {
	var limit int
	cmd := greylistCommand(&cobra.Command{
		Use:   "show",
		Short: "Show clients and triplets that are known, and those that wait",
	}, func(cmd *cobra.Command, r greylistRequest) error {
		if r.Limit = limit; limit < 1 {
			return fail(exUsage, "--limit: %d rows are none", limit)
		}
		rows, err := greylistShow.call(cmd, r)
		if err != nil {
			return err
		}
		return writeGreylist(cmd.OutOrStdout(), rows)
	})
	cmd.Flags().IntVar(&limit, "limit", 1000, "rows to show at most")
	return cmd
}

func writeGreylist(out io.Writer, rows []checks.GreylistRow) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "CLIENT\tSENDER\tRECIPIENT\tSTATE\tSINCE\tUNTIL\tNOTE")
	for _, r := range rows {
		since := "-"
		if !r.Since.IsZero() {
			since = moment(r.Since)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Net, orDash(r.Sender), orDash(r.Recipient), r.State, since, moment(r.Until), r.Note)
	}
	return table.Flush()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func newGreylistPass() *cobra.Command {
	var note string
	cmd := greylistCommand(&cobra.Command{
		Use:   "pass",
		Short: "Let mail pass at its next attempt",
		Long: `Lets pass what waits and is chosen by client, sender or recipient. With all three the triplet is known even if its mail has
never come; with the client alone its whole net is known. It lasts as long as for mail that has passed by itself (--greylist-keep).`,
		Example: `  mailweir greylist pass --from=bob@example.com
  mailweir greylist pass --client=192.0.2.7`,
	}, func(cmd *cobra.Command, r greylistRequest) error {
		if !r.chosen() {
			return fail(exUsage, "give --client, --from or --to, or several of them")
		}
		r.Note = note
		n, err := greylistPass.call(cmd, r)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d known\n", n)
		return err
	})
	cmd.Flags().StringVar(&note, "note", "", "why, for those who look at it later")
	return cmd
}

func newGreylistFlush() *cobra.Command {
	var all bool
	cmd := greylistCommand(&cobra.Command{
		Use:   "flush",
		Short: "Forget clients and triplets, so that their mail waits again",
	}, func(cmd *cobra.Command, r greylistRequest) error {
		if r.chosen() == all {
			return fail(exUsage, "give --client, --from or --to, or --all without them")
		}
		n, err := greylistFlush.call(cmd, r)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d forgotten\n", n)
		return err
	})
	cmd.Flags().BoolVar(&all, "all", false, "forget everything")
	return cmd
}
