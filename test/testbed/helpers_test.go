package testbed

import (
	"context"
	"net"
	"os/exec"
	"testing"
)

// shell is a command that reads a pipe which stays open until the test ends.
func shell(t *testing.T, script string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sh", "-c", script)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close() })
	return cmd
}

// netResolver asks the server alone, whatever the machine's own resolver is.
func (d *DNS) netResolver() *net.Resolver {
	return &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, d.Address)
		},
	}
}
