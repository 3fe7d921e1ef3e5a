package main

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"mailweir/checks/tempblock"
	"mailweir/internal/control"
)

func newTempblock() *cobra.Command {
	return group("tempblock", "Look at the temporary block list and change it", newTempblockList(), newTempblockAdd(), newTempblockRemove())
}

// tempblockRequest is a command about one client.
type tempblockRequest struct {
	Client netip.Addr    `json:"client"`
	For    time.Duration `json:"for,omitempty"`
	Note   string        `json:"note,omitempty"`
}

var tempblockAdd = runtimeCommand[tempblockRequest, nothing]{"tempblock/add", func(ctx context.Context, w commandWorld, r tempblockRequest) (nothing, error) {
	if !r.Client.IsValid() {
		return nothing{}, control.Errorf("give the client's address")
	}
	return nothing{}, tempblock.Add(ctx, w.Store, r.Client, r.For, w.entered(r.Note))
}}

var tempblockRemove = runtimeCommand[tempblockRequest, nothing]{"tempblock/rm", func(ctx context.Context, w commandWorld, r tempblockRequest) (nothing, error) {
	if !r.Client.IsValid() {
		return nothing{}, control.Errorf("give the client's address")
	}
	was, err := tempblock.Remove(ctx, w.Store, r.Client)
	if err == nil && !was {
		err = control.Errorf("%s is not on the temporary block list; see mailweir tempblock list", r.Client)
	}
	return nothing{}, err
}}

var tempblockList = runtimeCommand[nothing, []tempblock.Entry]{"tempblock/list", func(ctx context.Context, w commandWorld, _ nothing) ([]tempblock.Entry, error) {
	return tempblock.List(ctx, w.Store)
}}

func (d *daemon) handleTempblock(s *control.Server) {
	tempblockAdd.register(d, s)
	tempblockRemove.register(d, s)
	tempblockList.register(d, s)
}

// oneClient reads the only argument as a client's address.
func oneClient(args []string) (netip.Addr, error) {
	if len(args) != 1 {
		return netip.Addr{}, fail(exUsage, "give one address, such as 192.0.2.1 or 2001:db8::1")
	}
	client, err := netip.ParseAddr(args[0])
	if err != nil {
		return netip.Addr{}, fail(exUsage, "%q is not an address such as 192.0.2.1 or 2001:db8::1", args[0])
	}
	return client.Unmap().WithZone(""), nil
}

func newTempblockAdd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "add ADDRESS",
		Short: "Put a client on the list, at once and on every host that shares the state",
		Long: `Puts the client on the temporary block list, an IPv6 client with its /64. It is turned away from its next connection on, if the
check tempblock is enforced; a trusted or permitted client is not.`,
		Example: `  mailweir tempblock add 192.0.2.1 --for=2h --note='flood of spam'`,
	}
	addSettings(cmd)
	options := entryFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		client, err := oneClient(args)
		if err != nil {
			return err
		}
		_, err = tempblockAdd.call(cmd, tempblockRequest{Client: client, For: *options.life, Note: *options.note})
		return err
	}
	return cmd
}

func newTempblockRemove() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rm ADDRESS",
		Short: "Take a client off the list, and forget what was counted against it",
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := oneClient(args)
			if err != nil {
				return err
			}
			_, err = tempblockRemove.call(cmd, tempblockRequest{Client: client})
			return err
		},
	}
	addSettings(cmd)
	return cmd
}

func newTempblockList() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the clients that are blocked, until when, and by which rule or by whom and why",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := tempblockList.call(cmd, nothing{})
			if err != nil {
				return err
			}
			return writeTempblocks(cmd.OutOrStdout(), list)
		},
	}
	addSettings(cmd)
	return cmd
}

func writeTempblocks(out io.Writer, list []tempblock.Entry) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "CLIENT\tUNTIL\tSINCE\tBY\tWHY")
	for _, e := range list {
		by, why := e.By, e.Note
		if e.Rule != "" {
			by, why = "rule", fmt.Sprintf("%s: %d bad, %d accepted", e.Rule, e.Bad, e.Good)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", e.Net, untilText(e.Until), moment(e.At), by, why)
	}
	return table.Flush()
}
