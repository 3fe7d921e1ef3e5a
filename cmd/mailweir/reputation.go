package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/netip"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"mailweir/checks"
	"mailweir/internal/control"
	"mailweir/internal/policy"
)

func newReputation() *cobra.Command {
	return group("reputation", "Look at what clients have done here", newReputationShow())
}

// reputationRequest asks for one client's score.
type reputationRequest struct {
	Client netip.Addr `json:"client"`
}

var reputationShow = runtimeCommand[reputationRequest, checks.ReputationScore]{"reputation/show", func(ctx context.Context, w commandWorld, r reputationRequest) (checks.ReputationScore, error) {
	if !r.Client.IsValid() {
		return checks.ReputationScore{}, control.Errorf("give a client's address")
	}
	half, err := policy.ParseDuration(w.Flags.Lookup("reputation-half-life").Value.String())
	if err != nil {
		return checks.ReputationScore{}, err
	}
	least, err := flagNumber(w.Flags, "reputation-min-events")
	if err != nil {
		return checks.ReputationScore{}, err
	}
	book := checks.Reputations{Store: w.Store, Clock: w.Clock, HalfLife: half, MinEvents: least}
	return book.Show(ctx, r.Client)
}}

func (d *daemon) handleReputation(s *control.Server) { reputationShow.register(d, s) }

func newReputationShow() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show ADDRESS",
		Short: "Explain a client's score by its parts",
		Long: `Shows the client's score as it is now, and what each kind of events adds to it. The formula is that of the running daemon
(--reputation-half-life and --reputation-min-events), or that of the flags given here when the command opens the state itself.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := oneClient(args)
			if err != nil {
				return err
			}
			score, err := reputationShow.call(cmd, reputationRequest{client})
			if err != nil {
				return err
			}
			return writeReputation(cmd.OutOrStdout(), score)
		},
	}
	addSettings(cmd)
	return cmd
}

func writeReputation(out io.Writer, r checks.ReputationScore) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "EVENTS\tWEIGHT NOW\tPOINTS")
	for _, p := range r.Parts {
		fmt.Fprintf(table, "%s\t%.1f\t%+.1f\n", p.Name, p.Events, p.Points)
	}
	fmt.Fprintf(table, "all\t%.1f\t%.0f\n", r.Events, math.Floor(r.Score))
	if err := table.Flush(); err != nil {
		return err
	}
	switch {
	case r.Known:
		fmt.Fprintf(out, "%s is not judged: wanted mail has come from there within 36 days\n", r.Net)
	case !r.Judged:
		fmt.Fprintf(out, "%s is not judged: it takes %d events\n", r.Net, r.Least)
	default:
		fmt.Fprintf(out, "%s is judged by its score of %.0f\n", r.Net, math.Floor(r.Score))
	}
	return nil
}
