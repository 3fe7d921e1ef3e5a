package testbed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// NextServer is a Postfix that a filter's MTA would pass mail on to. It knows its recipients, offers
// STARTTLS, and has Postfix's own limits; what it accepts it throws away.
type NextServer struct {
	Address string
	MTA     *MTA
	tb      TB
}

// nextServerConf: bob, carol and postmaster of example.org exist, and everybody of catchall.example.
const nextServerConf = `relay_domains =
virtual_mailbox_domains = example.org, catchall.example
virtual_mailbox_maps = inline:{ {bob@example.org=x}, {carol@example.org=x}, {postmaster@example.org=x}, {@catchall.example=x} }
virtual_mailbox_base = /nonexistent
virtual_transport = discard
recipient_delimiter = +
smtpd_soft_error_limit = 10
smtpd_hard_error_limit = 20
smtpd_error_sleep_time = 1s
smtpd_junk_command_limit = 100
in_flow_delay = 1s
`

// StartNextServer starts one; extra are lines for the end of main.cf.
func StartNextServer(tb TB, extra ...string) *NextServer {
	tb.Helper()
	conf := nextServerConf
	for _, line := range extra {
		conf += line + "\n"
	}
	m := StartPostfix(tb, MTAConfig{NoMilter: true, Discard: true, Extra: conf})
	return &NextServer{Address: m.MX, MTA: m, tb: tb}
}

// Stop ends it, Start starts it again at the same address.
func (s *NextServer) Stop() error { return s.MTA.Process.Stop() }

// Start starts the server after Stop.
func (s *NextServer) Start() {
	s.tb.Helper()
	s.MTA.startMaster(s.tb)
}

// Pause stops all its processes without ending them: connections stay, and nothing is answered.
func (s *NextServer) Pause() { _ = syscall.Kill(-s.MTA.Process.PID(), syscall.SIGSTOP) }

// Resume lets them go on.
func (s *NextServer) Resume() { _ = syscall.Kill(-s.MTA.Process.PID(), syscall.SIGCONT) }

// Do sets parameters of main.cf, "name = value" a line, of which later ones count.
func (s *NextServer) Do(lines string) error {
	f, err := os.OpenFile(filepath.Join(s.MTA.etc, "main.cf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(lines + "\n")
	if failed := f.Close(); err == nil {
		err = failed
	}
	if err != nil {
		return err
	}
	if out, err := exec.Command("/usr/sbin/postfix", "-c", s.MTA.etc, "reload").CombinedOutput(); err != nil {
		return fmt.Errorf("postfix reload: %w\n%s", err, out)
	}
	s.MTA.AwaitGreeting(s.tb, s.Address)
	return nil
}
