package testbed

import (
	"fmt"
	"strings"
	"syscall"
)

// NextServer is a Postfix that a filter's MTA would pass mail on to. It knows its recipients,
// offers STARTTLS, and has Postfix's own limits; what it accepts it throws away.
type NextServer struct {
	Address string
	MTA     *MTA
	tb      TB
}

// nextServerConf: bob, carol and postmaster of example.org exist, and everybody of
// catchall.example.
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

// StartNextServer starts one; extra are lines of main.cf that replace its own.
func StartNextServer(tb TB, extra ...string) *NextServer {
	tb.Helper()
	conf := strings.Join(extra, "\n") + "\n"
	for line := range strings.Lines(nextServerConf) {
		if name, _, _ := strings.Cut(line, " ="); !setsParameter(conf, name) {
			conf += line
		}
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

// Do sets parameters of main.cf, "name = value" a line.
func (s *NextServer) Do(lines string) error {
	for line := range strings.Lines(lines) {
		if err := s.run("postconf", "-e", strings.TrimSpace(line)); err != nil {
			return err
		}
	}
	if err := s.run("postfix", "reload"); err != nil {
		return err
	}
	s.MTA.AwaitGreeting(s.tb, s.Address)
	return nil
}

func (s *NextServer) run(command string, words ...string) error {
	cmd := mtaCommand("/usr/sbin/"+command, append([]string{"-c", s.MTA.etc}, words...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}
