package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"mailweir/milter"
)

func newServe() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the milter",
		Long: `Runs the milter in the foreground until SIGTERM or SIGINT, then lets messages in progress finish (--drain).
SIGHUP reads configuration and lists anew; if anything in them is wrong, all stays as it was, and the log says why.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := readSettings(cmd)
			if err != nil {
				return err
			}
			return serve(cmd.Context(), s)
		},
	}
	addSettings(cmd)
	return cmd
}

// serve runs the daemon until a signal ends it.
func serve(parent context.Context, s *settings) error {
	if parent == nil {
		parent = context.Background()
	}
	d, err := newDaemon(s, os.Stderr)
	if err != nil {
		return err
	}
	defer d.close()
	listeners, err := openListeners(s.daemon)
	if err != nil {
		return fail(exUnavailable, "%v", err)
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	return d.run(parent, listeners, signals)
}

// openListeners opens every --listen; if one fails, those before it are closed again.
func openListeners(f *daemonFlags) ([]net.Listener, error) {
	mode, err := strconv.ParseUint(*f.listenMode, 8, 32)
	if err != nil || mode > 0o777 {
		return nil, fmt.Errorf("--listen-mode: %q is not an octal mode such as 0660", *f.listenMode)
	}
	addresses := *f.listen
	if len(addresses) == 0 {
		addresses = []string{defaultListen}
	}
	var listeners []net.Listener
	for _, address := range addresses {
		l, err := milter.Listen(address, milter.ListenOptions{Mode: os.FileMode(mode), Group: *f.listenGroup})
		if err != nil {
			for _, open := range listeners {
				_ = open.Close()
			}
			return nil, fmt.Errorf("--listen=%s: %w", address, err)
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}

// listenFrom reads --listen-from.
func listenFrom(words []string) ([]netip.Prefix, error) {
	var nets []netip.Prefix
	for _, w := range words {
		if a, err := netip.ParseAddr(strings.Trim(w, "[]")); err == nil {
			nets = append(nets, netip.PrefixFrom(a, a.BitLen()))
			continue
		}
		n, err := netip.ParsePrefix(w)
		if err != nil {
			return nil, fmt.Errorf("--listen-from: %q is neither an address nor a net such as 192.0.2.0/24", w)
		}
		nets = append(nets, n)
	}
	return nets, nil
}
