package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/netip"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"mailweir/checks"
	"mailweir/internal/control"
	"mailweir/internal/policy"
)

func newReputation() *cobra.Command {
	return group("reputation", "Look at what clients have done here", newReputationShow())
}

// reputationRequest asks for one client's score by a formula.
type reputationRequest struct {
	Client    netip.Addr    `json:"client"`
	HalfLife  time.Duration `json:"half_life"`
	MinEvents int           `json:"min_events"`
}

var reputationShow = runtimeCommand[reputationRequest, checks.ReputationScore]{"reputation/show", func(ctx context.Context, w commandWorld, r reputationRequest) (checks.ReputationScore, error) {
	if !r.Client.IsValid() || r.HalfLife <= 0 || r.MinEvents < 0 {
		return checks.ReputationScore{}, control.Errorf("give a client's address, and a half-life and number of events as in the flags")
	}
	book := checks.Reputations{Store: w.Store, Clock: w.Clock, HalfLife: r.HalfLife, MinEvents: r.MinEvents}
	return book.Show(ctx, r.Client)
}}

func (d *daemon) handleReputation(s *control.Server) { reputationShow.register(d, s) }

func newReputationShow() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show ADDRESS",
		Short: "Explain a client's score by its parts",
		Long: `Shows the client's score as it is now, and what each kind of events adds to it. The formula is that of the flags
--reputation-half-life and --reputation-min-events, which must be given here as the daemon has them (--config does it).`,
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := oneClient(args)
			if err != nil {
				return err
			}
			s, err := readSettings(cmd)
			if err != nil {
				return err
			}
			r := reputationRequest{Client: client}
			if r.HalfLife, err = policy.ParseDuration(s.flags.Lookup("reputation-half-life").Value.String()); err != nil {
				return &exitError{exConfig, err}
			}
			if r.MinEvents, err = strconv.Atoi(s.flags.Lookup("reputation-min-events").Value.String()); err != nil {
				return &exitError{exConfig, err}
			}
			score, err := reputationShow.call(cmd, r)
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
