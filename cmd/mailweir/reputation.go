package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/netip"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"mailweir/checks/reputation"
	"mailweir/internal/control"
	"mailweir/internal/entry"
	"mailweir/internal/policy"
)

func newReputation() *cobra.Command {
	return group("reputation", "Look at what clients have done here, and begin anew", newReputationShow(), newReputationForget())
}

// reputationRequest is a command about one client.
type reputationRequest struct {
	Client netip.Addr `json:"client"`
	Note   string     `json:"note,omitempty"`
}

// reputationAnswer is one client's score, and who has begun its history anew.
type reputationAnswer struct {
	reputation.Summary
	Forgotten *entry.Origin `json:"forgotten,omitempty"`
}

// reputationRun makes what carries a command out: with the formula that is in force there.
func reputationRun[Out any](name string, do func(context.Context, commandWorld, *reputation.Book, reputationRequest) (Out, error)) runtimeCommand[reputationRequest, Out] {
	return runtimeCommand[reputationRequest, Out]{name, func(ctx context.Context, w commandWorld, r reputationRequest) (out Out, err error) {
		if !r.Client.IsValid() {
			return out, control.Errorf("give a client's address")
		}
		half, err := policy.ParseDuration(w.Flags.Lookup("reputation-half-life").Value.String())
		if err != nil {
			return out, err
		}
		least, err := flagNumber(w.Flags, "reputation-min-events")
		if err != nil {
			return out, err
		}
		return do(ctx, w, &reputation.Book{Store: w.Store, Clock: w.Clock, HalfLife: half, MinEvents: least}, r)
	}}
}

var reputationShow = reputationRun("reputation/show", func(ctx context.Context, _ commandWorld, book *reputation.Book, r reputationRequest) (a reputationAnswer, err error) {
	if a.Summary, err = book.Show(ctx, r.Client); err != nil {
		return a, err
	}
	by, found, err := book.Forgotten(ctx, r.Client)
	if found {
		a.Forgotten = &by
	}
	return a, err
})

var reputationForget = reputationRun("reputation/forget", func(ctx context.Context, w commandWorld, book *reputation.Book, r reputationRequest) (nothing, error) {
	was, err := book.Forget(ctx, r.Client, w.entered(r.Note))
	if err == nil && !was {
		err = control.Errorf("%s has no history here; see mailweir reputation show", r.Client)
	}
	return nothing{}, err
})

func (d *daemon) handleReputation(s *control.Server) {
	reputationShow.register(d, s)
	reputationForget.register(d, s)
}

func newReputationForget() *cobra.Command {
	var note string
	cmd := &cobra.Command{
		Use:   "forget ADDRESS",
		Short: "Begin a client's history anew, at once and on every host that shares the state",
		Long: `Forgets what the client has done, good and bad, an IPv6 client's /64 with it. What it does from then on counts; to let it through whatever it
does, see --permit-clients. An entry on the temporary block list is another matter: mailweir tempblock rm.`,
		Example: `  mailweir reputation forget 192.0.2.1 --note='one customer of many; he is gone'`,
	}
	addSettings(cmd)
	cmd.Flags().StringVar(&note, "note", "", "why, for those who look at it later")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		client, err := oneClient(args)
		if err != nil {
			return err
		}
		_, err = reputationForget.call(cmd, reputationRequest{Client: client, Note: note})
		return err
	}
	return cmd
}

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
			score, err := reputationShow.call(cmd, reputationRequest{Client: client})
			if err != nil {
				return err
			}
			return writeReputation(cmd.OutOrStdout(), score)
		},
	}
	addSettings(cmd)
	return cmd
}

func writeReputation(out io.Writer, r reputationAnswer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "EVENTS\tWEIGHT NOW\tPOINTS")
	for _, p := range r.Parts {
		fmt.Fprintf(table, "%s\t%.1f\t%+.1f\n", p.Name, p.Events, p.Points)
	}
	fmt.Fprintf(table, "all\t%.1f\t%.0f\n", r.Events, math.Floor(r.Score))
	if err := table.Flush(); err != nil {
		return err
	}
	if r.Forgotten != nil {
		fmt.Fprintf(out, "its history was begun anew %s\n", r.Forgotten)
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
