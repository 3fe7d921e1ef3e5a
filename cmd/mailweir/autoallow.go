package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"mailweir/checks/autoallow"
	"mailweir/internal/control"
)

func newAutoAllow() *cobra.Command {
	return group("auto-allow", "Look at the addresses that users have written to, and forget them", newAutoAllowList(), newAutoAllowRemove())
}

// autoAllowRequest chooses pairs of a user and an external address; what is empty chooses all.
type autoAllowRequest struct {
	User    string `json:"user,omitempty"`
	Address string `json:"address,omitempty"`
	Limit   int    `json:"limit,omitempty"`
}

// filter chooses as the policy does where the command is carried out: a user is meant without the extension of his address.
func (r autoAllowRequest) filter(w commandWorld) autoallow.Filter {
	return autoallow.Filter{User: r.User, External: r.Address, Delimiter: w.delimiter()}
}

var autoAllowList = runtimeCommand[autoAllowRequest, []autoallow.Pair]{"auto-allow/list", func(ctx context.Context, w commandWorld, r autoAllowRequest) ([]autoallow.Pair, error) {
	return autoallow.List(ctx, w.Store, r.filter(w), r.Limit)
}}

var autoAllowRemove = runtimeCommand[autoAllowRequest, int]{"auto-allow/rm", func(ctx context.Context, w commandWorld, r autoAllowRequest) (int, error) {
	if r.User == "" && r.Address == "" {
		return 0, control.Errorf("give --user or --external, or both")
	}
	return autoallow.Remove(ctx, w.Store, r.filter(w))
}}

func (d *daemon) handleAutoAllow(s *control.Server) {
	autoAllowList.register(d, s)
	autoAllowRemove.register(d, s)
}

// autoAllowFlags registers how pairs are chosen.
func autoAllowFlags(cmd *cobra.Command, r *autoAllowRequest) {
	addSettings(cmd)
	cmd.Flags().StringVar(&r.User, "user", "", "address of the user who wrote")
	cmd.Flags().StringVar(&r.Address, "external", "", "external address that was written to")
}

func newAutoAllowList() *cobra.Command {
	var r autoAllowRequest
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List whom users have written to",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if r.Limit < 1 {
				return fail(exUsage, "--limit: %d rows are none", r.Limit)
			}
			list, err := autoAllowList.call(cmd, r)
			if err != nil {
				return err
			}
			return writeAutoAllow(cmd.OutOrStdout(), list)
		},
	}
	autoAllowFlags(cmd, &r)
	cmd.Flags().IntVar(&r.Limit, "limit", 1000, "rows to list at most")
	return cmd
}

func writeAutoAllow(out io.Writer, list []autoallow.Pair) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "USER\tADDRESS\tWRITTEN\tUNTIL")
	for _, one := range list {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", one.User, one.Address, one.Last, moment(one.Until))
	}
	return table.Flush()
}

func newAutoAllowRemove() *cobra.Command {
	var r autoAllowRequest
	cmd := &cobra.Command{
		Use:   "rm",
		Short: "Forget whom a user has written to, or who has written to an address",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			n, err := autoAllowRemove.call(cmd, r)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d forgotten\n", n)
			return err
		},
	}
	autoAllowFlags(cmd, &r)
	return cmd
}
