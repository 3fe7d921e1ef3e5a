package testbed

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Spamd is one spamd of SpamAssassin with the rules of its package, without network tests, that can
// be stopped and started again at the same address.
type Spamd struct {
	Address string
	*Process
	tb  TB
	cmd func() *exec.Cmd
}

// StartSpamd starts a spamd with two children.
func StartSpamd(tb TB) *Spamd {
	tb.Helper()
	Require(tb, "spamd")
	dir := TempDir(tb)
	s := &Spamd{Address: FreeAddress(tb), tb: tb}
	s.cmd = func() *exec.Cmd {
		return exec.Command("spamd", "--local", "--listen="+s.Address, "--max-children=2", "--min-spare=1", "--nouser-config",
			"--username=nobody", "--syslog=stderr", "--pidfile="+filepath.Join(dir, "pid"), "--helper-home-dir="+dir)
	}
	s.Start()
	return s
}

// Start starts it after Stop or Kill.
func (s *Spamd) Start() {
	s.tb.Helper()
	s.Process = start(s.tb, s.cmd())
	if err := untilOr(s.done, s.greet); err != nil {
		s.tb.Fatalf("spamd %s: %v\n%s", s.Address, err, s.Log)
	}
}

// Pause stops it without ending it: it takes connections and answers nothing.
func (s *Spamd) Pause() { s.pauseAll() }

// Resume lets it go on.
func (s *Spamd) Resume() { s.resumeAll() }

// Do is nothing that a scanner can be told.
func (s *Spamd) Do(string) error { return errors.New("spamd has the rules of its package") }

func (s *Spamd) greet() error {
	conn, err := net.DialTimeout("tcp", s.Address, Patience)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(Patience)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "PING SPAMC/1.5\r\n\r\n"); err != nil {
		return err
	}
	text, err := io.ReadAll(conn)
	if err == nil && !strings.HasSuffix(string(text), " 0 PONG\r\n") {
		err = fmt.Errorf("it answers %q", text)
	}
	return err
}
