package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mailweir/checks/greylist"
	"mailweir/internal/control"
	"mailweir/internal/policy"
)

func newGreylist() *cobra.Command {
	return group("greylist", "Look at what greylisting remembers, let mail pass, forget", newGreylistShow(), newGreylistPass(), newGreylistFlush())
}

// greylistRequest is a command about the triplets that a filter chooses.
type greylistRequest struct {
	greylist.Filter
	Limit int    `json:"limit,omitempty"`
	Note  string `json:"note,omitempty"`
}

// greylistRun makes what carries a command out: with the nets and the delimiter under which keys were made there.
func greylistRun[Out any](name string, do func(context.Context, commandWorld, greylistRequest) (Out, error)) runtimeCommand[greylistRequest, Out] {
	return runtimeCommand[greylistRequest, Out]{name, func(ctx context.Context, w commandWorld, r greylistRequest) (out Out, err error) {
		if err := r.readPolicy(w.Flags); err != nil {
			return out, err
		}
		if err := r.Validate(); err != nil {
			return out, control.Errorf("--client: %v", err)
		}
		return do(ctx, w, r)
	}}
}

var greylistShow = greylistRun("greylist/show", func(ctx context.Context, w commandWorld, r greylistRequest) ([]greylist.Row, error) {
	return greylist.Show(ctx, w.Store, r.Filter, r.Limit)
})

var greylistPass = greylistRun("greylist/pass", func(ctx context.Context, w commandWorld, r greylistRequest) (int, error) {
	passes, err := flagNumber(w.Flags, "greylist-client-passes")
	if err != nil {
		return 0, err
	}
	keep, err := policy.ParseDuration(w.Flags.Lookup("greylist-keep").Value.String())
	if err != nil {
		return 0, err
	}
	return greylist.Pass(ctx, w.Store, w.entered(r.Note), keep, passes, r.Filter)
})

var greylistFlush = greylistRun("greylist/flush", func(ctx context.Context, w commandWorld, r greylistRequest) (int, error) {
	return greylist.Flush(ctx, w.Store, r.Filter)
})

func (d *daemon) handleGreylist(s *control.Server) {
	greylistShow.register(d, s)
	greylistPass.register(d, s)
	greylistFlush.register(d, s)
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
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return run(cmd, r) }
	return cmd
}

// readPolicy takes from the configuration what turns addresses into keys.
func (r *greylistRequest) readPolicy(flags *pflag.FlagSet) (err error) {
	if r.Nets.IPv4, err = flagNumber(flags, "greylist-ipv4"); err != nil {
		return err
	}
	r.Nets.IPv6, err = flagNumber(flags, "greylist-ipv6")
	r.Delimiter = flags.Lookup("recipient-delimiter").Value.String()
	return err
}

func flagNumber(flags *pflag.FlagSet, name string) (int, error) {
	n, err := strconv.Atoi(flags.Lookup(name).Value.String())
	if err != nil {
		return 0, fmt.Errorf("--%s: %w", name, err)
	}
	return n, nil
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

func writeGreylist(out io.Writer, rows []greylist.Row) error {
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
