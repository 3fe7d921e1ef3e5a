package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"

	"mailweir/internal/control"
	"mailweir/internal/policy"
	"mailweir/internal/terminal"
	"mailweir/rbl"
)

func newRBL() *cobra.Command {
	rbl := withShortHelp(group("rbl", "Look at DNS lists", newRBLStatus(), newRBLRest(), newRBLResume()))
	rbl.AddCommand(newRBLTest()) // which asks the DNS, and no daemon
	return rbl
}

func newRBLTest() *cobra.Command {
	var domains bool
	cmd := &cobra.Command{
		Use:   "test ZONE",
		Short: "Ask a list for its test entries (RFC 5782 section 5)",
		Long: `Asks the list, with a resolver of its own, for the entries that every list must and must not have, and says what is
wrong. A zone that is dead, or of the other kind, is refused with the reason. The exit code is 1 when the test fails.`,
		Args: oneZone,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := readSettings(cmd)
			if err != nil {
				return err
			}
			return testZone(cmd.Context(), cmd.OutOrStdout(), s, args[0], domains)
		},
	}
	addSettings(cmd)
	cmd.Flags().BoolVar(&domains, "domains", false, "the list is about domain names, as for --rhsbl-zone")
	return cmd
}

func oneZone(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fail(exUsage, "give one zone")
	}
	return nil
}

func testZone(ctx context.Context, out io.Writer, s *settings, zone string, domains bool) error {
	world, err := emptyWorld(s.daemon)
	if err != nil {
		return &exitError{exConfig, err}
	}
	defer closeWorld(world)
	kind := rbl.Addresses
	if domains {
		kind = rbl.Domains
	}
	entries, err := rbl.Parse(kind, []string{zone})
	if err != nil {
		return &exitError{exConfig, err}
	}
	if len(entries) != 1 {
		return fail(exUsage, "give one zone")
	}
	keys, err := readKeys(s)
	if err != nil {
		return &exitError{exConfig, err}
	}
	set, err := world.Lists.NewSet(entries, rbl.SetOptions{Threshold: 1, Keys: keys})
	if err != nil {
		return &exitError{exConfig, err}
	}
	defer set.Close()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := set.Test(ctx, entries[0].Zone); err != nil {
		fmt.Fprintf(out, "%s fails: %v\n", entries[0].Zone, err)
		return &exitError{code: 1}
	}
	_, err = fmt.Fprintf(out, "%s has its test entries\n", entries[0].Zone)
	return err
}

// readKeys reads --rbl-key, so that {NAME} works in a zone here, too.
func readKeys(s *settings) (map[string]rbl.Secret, error) {
	keys := make(map[string]rbl.Secret)
	for _, spec := range flagValues(s.flags.Lookup("rbl-key")) {
		if spec == "" {
			continue
		}
		name, key, err := rbl.ParseKey(spec)
		if err != nil {
			return nil, fmt.Errorf("--rbl-key: %w", err)
		}
		keys[name] = key
	}
	return keys, nil
}

// listRequest is a command about lists.
type listRequest struct {
	Zone string        `json:"zone,omitempty"`
	For  time.Duration `json:"for,omitempty"`
	Note string        `json:"note,omitempty"`
}

// nothing is the answer of a command that has nothing to say.
type nothing struct{}

// handleRBL registers the commands about lists.
func (d *daemon) handleRBL(s *control.Server) {
	control.Handle(s, "rbl/status", func(context.Context, control.Peer, nothing) ([]rbl.ListStatus, error) {
		return d.world.Lists.Status(), nil
	})
	control.Handle(s, "rbl/rest", func(_ context.Context, p control.Peer, r listRequest) (nothing, error) {
		why := "by " + p.String()
		if r.Note != "" {
			why += ": " + policy.Clean(r.Note)
		}
		if r.For < 0 {
			return nothing{}, control.Errorf("--for: %s is no span of time to come", r.For)
		}
		if err := d.world.Lists.Rest(d.listNamed(r.Zone), r.For, why); err != nil {
			return nothing{}, control.Errorf("%v", err)
		}
		d.log.WithFields(logrus.Fields{"zone": r.Zone, "by": p.String(), "uid": p.UID, "note": r.Note, "for": r.For.String()}).Info("dns list rests by hand")
		return nothing{}, nil
	})
	control.Handle(s, "rbl/resume", func(_ context.Context, p control.Peer, r listRequest) ([]rbl.ListStatus, error) {
		zone := d.listNamed(r.Zone)
		if err := d.world.Lists.Resume(zone); err != nil {
			return nil, control.Errorf("%v", err)
		}
		d.log.WithFields(logrus.Fields{"zone": r.Zone, "by": p.String(), "uid": p.UID}).Info("dns list resumed by hand")
		return slices.DeleteFunc(d.world.Lists.Status(), func(l rbl.ListStatus) bool { return l.Zone != zone || l.Asked }), nil
	})
}

// listNamed is the zone of a list as the list has it, however it is written.
func (d *daemon) listNamed(zone string) string {
	for _, l := range d.world.Lists.Status() {
		if strings.EqualFold(l.Zone, strings.TrimSuffix(zone, ".")) {
			return l.Zone
		}
	}
	return zone
}

func newRBLStatus() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how each list of the running daemon does",
		Long: `Shows, for each list: whether it is asked or rests, until when if that is known, and why; what it is asked about; look-ups, hits, hits that no other list shared, errors; the
mean time of its answers; hits on clients whose mail is known to be good (its precision); and the list it overlaps with most.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := commandSettings(cmd)
			if err != nil {
				return err
			}
			var lists []rbl.ListStatus
			if err := callDaemon(cmd.Context(), s, "rbl/status", nothing{}, &lists); err != nil {
				return err
			}
			return writeLists(cmd.OutOrStdout(), lists)
		},
	}
	addSettings(cmd)
	return cmd
}

func writeLists(out io.Writer, lists []rbl.ListStatus) error {
	table := terminal.NewTable(out, "ZONE", "STATE", "ABOUT", "QUERIES", "HITS", "ALONE", "ERRORS", "KNOWN GOOD", "MEAN", "OVERLAP", "UNTIL", "WHY")
	for _, l := range lists {
		state := "asked"
		if !l.Asked {
			state = "rests"
		}
		table.Row(l.Zone, state, about(l), l.Queries, l.Hits, l.Alone, l.Errors, l.KnownGood,
			l.Latency.Mean().Round(time.Microsecond), mostOverlap(l.Overlap), restUntil(l), l.Why)
	}
	return table.Flush()
}

// restUntil says when a rest ends by itself: of a failed test nobody knows.
func restUntil(l rbl.ListStatus) string {
	if l.Until.IsZero() {
		return "-"
	}
	return moment(l.Until)
}

// about says what a list is asked about.
func about(l rbl.ListStatus) string {
	switch {
	case l.Kind == rbl.Domains:
		return "names"
	case !l.IPv4:
		return "IPv6"
	case !l.IPv6:
		return "IPv4"
	}
	return "IPv4 IPv6"
}

// mostOverlap names the list with which most hits are shared.
func mostOverlap(overlap map[string]uint64) string {
	var zones []string
	for zone := range overlap {
		zones = append(zones, zone)
	}
	if len(zones) == 0 {
		return "-"
	}
	sort.Slice(zones, func(i, j int) bool {
		a, b := overlap[zones[i]], overlap[zones[j]]
		return a > b || a == b && strings.Compare(zones[i], zones[j]) < 0
	})
	return fmt.Sprintf("%s %d", zones[0], overlap[zones[0]])
}

func newRBLRest() *cobra.Command {
	var r listRequest
	cmd := &cobra.Command{
		Use:   "rest ZONE",
		Short: "Stop asking a list",
		Args:  oneZone,
		RunE: func(cmd *cobra.Command, args []string) error {
			r.Zone = args[0]
			return changeList(cmd, "rbl/rest", r, &nothing{})
		},
	}
	addSettings(cmd)
	cmd.Flags().DurationVar(&r.For, "for", 0, "for how long (default until resumed)")
	cmd.Flags().StringVar(&r.Note, "note", "", "why, for those who look at the status")
	return cmd
}

func newRBLResume() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "resume ZONE",
		Short: "Ask a list again that rests by hand, or for its hits on good mail",
		Long: `Ends the rest of a list by hand, and that for its hits on good mail. A list that does not answer, or fails its test, goes on
resting until a test passes; the command says so.`,
		Args: oneZone,
		RunE: func(cmd *cobra.Command, args []string) error {
			var resting []rbl.ListStatus
			if err := changeList(cmd, "rbl/resume", listRequest{Zone: args[0]}, &resting); err != nil {
				return err
			}
			for _, l := range resting {
				if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s still rests: %s; it is asked when its test passes\n", l.Zone, l.Why); err != nil {
					return err
				}
			}
			return nil
		},
	}
	addSettings(cmd)
	return cmd
}

func changeList(cmd *cobra.Command, name string, r listRequest, out any) error {
	s, err := commandSettings(cmd)
	if err != nil {
		return err
	}
	return callDaemon(cmd.Context(), s, name, r, out)
}
