package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"mailweir/rbl"
)

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
	shows(cmd, findsConfig, "dns", "rbl-key")
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
	backends, err := emptyBackends(s.daemon)
	if err != nil {
		return &exitError{exConfig, err}
	}
	defer closeBackends(backends)
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
	set, err := backends.Lists.NewSet(entries, rbl.SetOptions{Threshold: 1, Keys: keys})
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
