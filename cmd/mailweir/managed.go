package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"mailweir/checks/managed"
	"mailweir/internal/control"
)

func newManaged() *cobra.Command {
	return group("managed", "Change what recipients block and permit", newManagedAdd(), newManagedRemove(), newManagedList())
}

// managedRequest is a command about the entries of one recipient.
type managedRequest struct {
	Recipient string        `json:"recipient"`
	Subject   string        `json:"subject,omitempty"` // an address or a domain
	Permit    bool          `json:"permit,omitempty"`
	For       time.Duration `json:"for,omitempty"`
	Note      string        `json:"note,omitempty"`
}

var managedAdd = runtimeCommand[managedRequest, nothing]{"managed/add", func(ctx context.Context, w commandWorld, r managedRequest) (nothing, error) {
	if err := managed.Validate(r.Recipient, r.Subject); err != nil {
		return nothing{}, control.Errorf("%v", err)
	}
	return nothing{}, managed.Add(ctx, w.Store, r.Recipient, r.Subject, r.Permit, r.For, w.entered(r.Note))
}}

var managedRemove = runtimeCommand[managedRequest, nothing]{"managed/rm", func(ctx context.Context, w commandWorld, r managedRequest) (nothing, error) {
	if err := managed.Validate(r.Recipient, r.Subject); err != nil {
		return nothing{}, control.Errorf("%v", err)
	}
	was, err := managed.Remove(ctx, w.Store, r.Recipient, r.Subject)
	if err == nil && !was {
		err = control.Errorf("%s has no entry %q here; see mailweir managed list, and --managed-list", r.Recipient, r.Subject)
	}
	return nothing{}, err
}}

var managedList = runtimeCommand[managedRequest, []managed.Entry]{"managed/list", func(ctx context.Context, w commandWorld, r managedRequest) ([]managed.Entry, error) {
	return managed.List(ctx, w.Store, r.Recipient, w.delimiter())
}}

// delimiter is what separates an address from its extension.
func (w commandWorld) delimiter() string { return w.Flags.Lookup("recipient-delimiter").Value.String() }

func (d *daemon) handleManaged(s *control.Server) {
	managedAdd.register(d, s)
	managedRemove.register(d, s)
	managedList.register(d, s)
}

func newManagedAdd() *cobra.Command {
	var r managedRequest
	var block, permit string
	cmd := &cobra.Command{
		Use:   "add",
		Short: "Let a recipient block or permit a sender or a domain",
		Example: `  mailweir managed add --user=bob@example.org --block=spammer@example.net
  mailweir managed add --user=bob@example.org --permit=example.com --for=30d`,
		Args: noArguments,
	}
	addSettings(cmd)
	cmd.Flags().StringVar(&r.Recipient, "user", "", "whose entry it is")
	cmd.Flags().StringVar(&block, "block", "", "address or domain to block")
	cmd.Flags().StringVar(&permit, "permit", "", "address or domain to permit")
	options := entryFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if (block == "") == (permit == "") {
			return fail(exUsage, "give one of --block and --permit")
		}
		r.Subject, r.Permit = block+permit, permit != ""
		r.For, r.Note = *options.life, *options.note
		_, err := managedAdd.call(cmd, r)
		return err
	}
	return cmd
}

func newManagedRemove() *cobra.Command {
	var r managedRequest
	cmd := &cobra.Command{Use: "rm", Short: "Take an entry of a recipient back", Args: noArguments}
	addSettings(cmd)
	cmd.Flags().StringVar(&r.Recipient, "user", "", "whose entry it is")
	cmd.Flags().StringVar(&r.Subject, "entry", "", "address or domain that it is about")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		_, err := managedRemove.call(cmd, r)
		return err
	}
	return cmd
}

func newManagedList() *cobra.Command {
	var r managedRequest
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the run-time entries of a recipient, or of all",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := managedList.call(cmd, r)
			if err != nil {
				return err
			}
			return writeManaged(cmd.OutOrStdout(), list)
		},
	}
	addSettings(cmd)
	cmd.Flags().StringVar(&r.Recipient, "user", "", "for whom entries are to count (default everybody's)")
	return cmd
}

func writeManaged(out io.Writer, list []managed.Entry) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "RECIPIENT\tENTRY\tSENDER\tUNTIL\tSINCE\tBY\tNOTE")
	for _, e := range list {
		verb := "block"
		if e.Permit {
			verb = "permit"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", e.Recipient, verb, e.Subject, untilText(e.Until), moment(e.At), e.By, e.Note)
	}
	return table.Flush()
}
