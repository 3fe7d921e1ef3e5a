package testbed

import (
	"fmt"
	"strings"
)

// NextServer is a Postfix that a filter's MTA would pass mail on to. It knows its recipients,
// offers STARTTLS, and has Postfix's own limits; what it accepts it throws away.
type NextServer struct {
	Address string
	MTA     *MTA
	tb      TB
	edits   int // each edit has a greeting of its own, so that it is seen when it is in force
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
func (s *NextServer) Pause() { s.MTA.Process.pauseAll() }

// Resume lets them go on.
func (s *NextServer) Resume() { s.MTA.Process.resumeAll() }

// Do sets parameters of main.cf, "name = value" a line, and waits until they are in force: a reload
// returns before Postfix's master has seen it, and an smtpd of before could still answer.
func (s *NextServer) Do(lines string) error {
	s.edits++
	greeting := fmt.Sprintf("edit-%d", s.edits)
	for line := range strings.Lines(lines + "\nsmtpd_banner = $myhostname ESMTP " + greeting) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		if err := s.run("postconf", "-e", strings.TrimSpace(line)); err != nil {
			return err
		}
	}
	if err := s.run("postfix", "reload"); err != nil {
		return err
	}
	return Until(func() error { return s.greets(greeting) })
}

// greets tells whether the greeting ends so.
func (s *NextServer) greets(end string) error {
	c, err := Dial(s.Address, "")
	if err != nil {
		return err
	}
	defer c.Close()
	reply, err := c.ReadReply()
	if err == nil && !strings.HasSuffix(strings.Join(reply, "\n"), end) {
		err = fmt.Errorf("the greeting is %q, without %s", reply, end)
	}
	return err
}

func (s *NextServer) run(command string, words ...string) error {
	cmd := mtaCommand("/usr/sbin/"+command, append([]string{"-c", s.MTA.etc}, words...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}
