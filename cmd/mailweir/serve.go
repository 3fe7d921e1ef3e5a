package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"

	"mailweir/internal/handover"
	"mailweir/internal/policy"
)

func newServe() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the milter",
		Long: `Runs the milter in the foreground until SIGTERM or SIGINT, then lets messages in progress finish (--drain).
SIGHUP reads configuration and lists again; if anything in them is wrong, all stays as it was, and the log says why.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			before, err := meetPredecessor()
			if errors.Is(err, handover.ErrForked) {
				return nil
			}
			if err != nil {
				return fail(exSoftware, "%v", err)
			}
			defer before.leave()
			s := resolveAll(originOf(cmd))
			if len(s.found.Wrong) > 0 {
				err = &exitError{exConfig, s.mistakes(nil, lookAtPolicy)}
			} else {
				err = serve(cmd.Context(), s, before)
			}
			before.fail(err)
			return err
		},
	}
	addSettings(cmd)
	shows(cmd, findsConfig, flagNames(serveFlags())...)
	return cmd
}

// ballast is address space that is never touched, so it takes no memory. It lets the heap grow to
// twice this before it is swept: by itself it is so small that this would be due every few dozen
// messages, and would cost more than judging them.
const ballast = 8 << 20

// serve runs the daemon until a signal ends it, in the place of its predecessor where there is one.
func serve(parent context.Context, s *settings, before *predecessor) error {
	if parent == nil {
		parent = context.Background()
	}
	reserve := make([]byte, ballast)
	defer runtime.KeepAlive(reserve)
	signals := make(chan os.Signal, 4)
	defer signal.Stop(signals)
	signal.Notify(signals, syscall.SIGHUP) // while lists are loaded, too, where it would end the process
	sockets, err := before.takeSockets()
	if err != nil {
		return err
	}
	defer sockets.close()
	program, err := ownProgram()
	if err != nil {
		return err
	}
	d, err := newDaemon(s, before, os.Stderr)
	if err != nil {
		return err
	}
	defer d.close()
	d.sockets, d.program = sockets, program
	listeners, err := sockets.openListeners(s.daemon)
	if err != nil {
		return err
	}
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	return d.run(parent, listeners, signals)
}

// listenFrom reads --listen-from.
func listenFrom(words []string) ([]netip.Prefix, error) {
	nets, err := policy.ParseNets(words)
	if err != nil {
		return nil, fmt.Errorf("--listen-from: %w", err)
	}
	return nets, nil
}
