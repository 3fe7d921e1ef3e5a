package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"mailweir/checks/account"
	"mailweir/internal/control"
	"mailweir/internal/entry"
	"mailweir/internal/policy"
)

func newAccount() *cobra.Command {
	return group("account", "Switch the outbound or inbound mail of accounts off", newAccountOff(), newAccountOn(), newAccountList())
}

// accountRequest is a command about one side of one account.
type accountRequest struct {
	Side string        `json:"side"`
	Name string        `json:"name"`
	For  time.Duration `json:"for,omitempty"`
	Note string        `json:"note,omitempty"`
}

var accountOff = runtimeCommand[accountRequest, nothing]{"account/off", func(ctx context.Context, w commandWorld, r accountRequest) (nothing, error) {
	if err := r.validate(); err != nil {
		return nothing{}, err
	}
	if err := account.Validate(r.Side, r.Name); err != nil {
		return nothing{}, control.Errorf("%v", err)
	}
	return nothing{}, account.SwitchOff(ctx, w.Store, r.Side, r.Name, r.For, w.entered(r.Note))
}}

var accountOn = runtimeCommand[accountRequest, nothing]{"account/on", func(ctx context.Context, w commandWorld, r accountRequest) (nothing, error) {
	if err := r.validate(); err != nil {
		return nothing{}, err
	}
	was, err := account.SwitchOn(ctx, w.Store, r.Side, r.Name)
	if err == nil && !was {
		err = control.Errorf("%s of %q was not switched off here; see mailweir account list, and --account-list", r.Side, r.Name)
	}
	return nothing{}, err
}}

var accountList = runtimeCommand[nothing, []account.Switch]{"account/list", func(ctx context.Context, w commandWorld, _ nothing) ([]account.Switch, error) {
	return account.Switches(ctx, w.Store)
}}

func (d *daemon) handleAccount(s *control.Server) {
	accountOff.register(d, s)
	accountOn.register(d, s)
	accountList.register(d, s)
}

func (r accountRequest) validate() error {
	if r.Side != account.Outbound && r.Side != account.Inbound || r.Name == "" {
		return control.Errorf("give either --outbound=LOGIN|DOMAIN|* or --inbound=DOMAIN|*")
	}
	return nil
}

// accountFlags registers how an account is named, and returns what reads it.
func accountFlags(cmd *cobra.Command) func() (accountRequest, error) {
	var outbound, inbound string
	cmd.Flags().StringVar(&outbound, "outbound", "", "outbound mail of this login or domain, * for all")
	cmd.Flags().StringVar(&inbound, "inbound", "", "inbound mail of this domain, * for all")
	return func() (r accountRequest, err error) {
		if outbound != "" && inbound != "" {
			return r, fail(exUsage, "give one of --outbound and --inbound at a time")
		}
		r = accountRequest{Side: account.Outbound, Name: outbound}
		if inbound != "" {
			r = accountRequest{Side: account.Inbound, Name: inbound}
		}
		if err := r.validate(); err != nil {
			return r, &exitError{exUsage, err}
		}
		return r, nil
	}
}

func newAccountOff() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "off",
		Short: "Switch an account off, at once and on every host that shares the state",
		Example: `  mailweir account off --outbound=bob --for=1h --note='stolen password'
  mailweir account off --inbound=example.org --note='moving the mailboxes'`,
		Args: noArguments,
	}
	addSettings(cmd)
	named := accountFlags(cmd)
	options := entryFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		r, err := named()
		if err != nil {
			return err
		}
		r.For, r.Note = *options.life, *options.note
		_, err = accountOff.call(cmd, r)
		return err
	}
	return cmd
}

func newAccountOn() *cobra.Command {
	cmd := &cobra.Command{Use: "on", Short: "Switch an account on again that was switched off with account off", Args: noArguments}
	addSettings(cmd)
	named := accountFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		r, err := named()
		if err != nil {
			return err
		}
		_, err = accountOn.call(cmd, r)
		return err
	}
	return cmd
}

func newAccountList() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the accounts that are switched off at run time, by whom, why and until when",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := accountList.call(cmd, nothing{})
			if err != nil {
				return err
			}
			return writeAccounts(cmd.OutOrStdout(), list)
		},
	}
	addSettings(cmd)
	return cmd
}

func writeAccounts(out io.Writer, list []account.Switch) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SIDE\tACCOUNT\tUNTIL\tSINCE\tBY\tNOTE")
	for _, a := range list {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", a.Side, a.Name, untilText(a.Until), moment(a.At), a.By, a.Note)
	}
	return table.Flush()
}

// moment writes a time for people, in UTC as in the log.
func moment(t time.Time) string { return t.UTC().Format(time.DateTime) }

// untilText writes when an entry ends.
func untilText(t time.Time) string {
	if t.IsZero() {
		return "for good"
	}
	return moment(t)
}

// entered is the record of an entry that this command makes.
func (w commandWorld) entered(note string) entry.Origin {
	return entry.Origin{By: w.By.String(), UID: w.By.UID, At: w.Clock().UTC(), Note: note}
}

// entryOptions are the flags of commands that enter something.
type entryOptions struct {
	life *time.Duration
	note *string
}

func entryFlags(cmd *cobra.Command) entryOptions {
	f := policy.NewFlags(cmd.Flags(), "")
	return entryOptions{
		life: f.Duration("for", 0, "for how long, 0 for until it is taken back"),
		note: f.String("note", "", "TEXT", "why, for those who look at it later"),
	}
}
