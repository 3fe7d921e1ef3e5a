package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mailweir/internal/control"
	"mailweir/milter"
)

// openControl opens the socket of --control and registers every run-time command; "" opens none.
func (d *daemon) openControl(address string) (*control.Server, error) {
	if address == "" {
		return nil, nil
	}
	if _, err := control.Path(address); err != nil {
		return nil, fmt.Errorf("--control: %w", err)
	}
	l, err := milter.Listen(address, milter.ListenOptions{Mode: 0o600})
	if err != nil {
		return nil, fmt.Errorf("--control: %w", err)
	}
	s := control.NewServer(l)
	d.handleRBL(s)
	d.handleExplain(s)
	stateStats.register(d, s)
	d.handleAccount(s)
	d.handleGreylist(s)
	d.handleManaged(s)
	d.handleAutoAllow(s)
	d.handleTempblock(s)
	d.handleReputation(s)
	s.Start()
	return s, nil
}

// callDaemon sends a run-time command to the daemon of --control.
func callDaemon(ctx context.Context, s *settings, name string, in, out any) error {
	address := *s.daemon.control
	if address == "" {
		return fail(exUsage, "this command asks the running daemon: name its control socket (--control=unix:/PATH), or its --config")
	}
	path, err := control.Path(address)
	if err != nil {
		return fail(exUsage, "--control: %v", err)
	}
	client := control.NewClient(path)
	defer client.Close()
	err = client.Call(ctx, name, in, out)
	var wrong *control.Error
	switch {
	case errors.As(err, &wrong):
		return &exitError{exUsage, err}
	case errors.Is(err, control.ErrClosed):
		return fail(exNoPerm, "%s: %w", address, err)
	case errors.Is(err, control.ErrNotRunning):
		return fail(exUnavailable, "%s: %w", address, err)
	case err != nil:
		return &exitError{exSoftware, err}
	}
	return nil
}

// commandsWithin is how long run-time commands in progress may take when the daemon ends.
const commandsWithin = 5 * time.Second

func stopCommands(s *control.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), commandsWithin)
	defer cancel()
	s.Stop(ctx)
}
