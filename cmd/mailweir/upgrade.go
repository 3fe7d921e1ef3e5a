package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"mailweir/internal/config"
	"mailweir/internal/handover"
	"mailweir/internal/policy"
)

// upgraded is what came of an upgrade.
type upgraded struct {
	// Error is why the old process goes on, Code the exit code for that.
	Error string `json:"error,omitempty"`
	Code  int    `json:"code,omitempty"`

	Old      string `json:"old"` // version
	New      string `json:"new,omitempty"`
	PID      int    `json:"pid,omitempty"`
	Sessions int    `json:"sessions"` // that go on with the old process
}

// upgradeWithin is how long an upgrade may take: what is to be loaded may be large.
const upgradeWithin = 10 * time.Minute

// upgradeOperation starts the program that lies on the disk by now in the place of this one.
func upgradeOperation(upgrade func(context.Context) upgraded) policy.Operation {
	about := policy.About{
		Name: "upgrade", Effect: policy.Changes, Daemon: true, Within: upgradeWithin,
		Title: "Have the daemon hand over to the program that is installed now, without a break",
		Help: `Starts the program that lies at the daemon's place on the disk as its successor, with its arguments, and hands over sockets, state and
record. Sessions that are open go on with the old process to their end; no client is told to try again. It also brings flags into
force that take effect at the next start. First the new program checks the configuration; if that is wrong, the command says what,
with file and line, the old process continues, and the exit code is 78 (EX_CONFIG). Where the new process does not become ready the
old one takes everything back (75, EX_TEMPFAIL). Only systemd follows a service to another process; without it, restart mailweir (69).`,
	}
	run := func(ctx context.Context, c *policy.Call, _ policy.Nothing) (upgraded, error) {
		u := upgrade(ctx)
		if u.Error != "" {
			c.Fail(u.Error)
		}
		return u, nil
	}
	return policy.NewOperation(about, policy.Unasked, run, showUpgraded)
}

func showUpgraded(out io.Writer, u upgraded) error {
	if u.Error != "" {
		return &exitError{u.Code, errors.New(u.Error)}
	}
	_, err := fmt.Fprintf(out, "mailweir %s serves now (process %d); %d connections of MTAs go on with the old process (%s) to their end\n", u.New, u.PID, u.Sessions, u.Old)
	return err
}

// upgrade hands over to the program that lies on the disk.
func (d *daemon) upgrade(ctx context.Context) upgraded {
	u := upgraded{Old: version}
	if !d.upgrading.TryLock() {
		u.Error, u.Code = "an upgrade is under way already", exTempFail
		return u
	}
	began := time.Now()
	err := d.handOver(ctx, &u)
	if err == nil {
		d.log.WithFields(logrus.Fields{
			"took": time.Since(began).Round(time.Millisecond).String(), "pid": u.PID, "version": u.New, "connections": u.Sessions,
		}).Info("handed over to a new process; open connections go on here")
		close(d.handed)
		return u // and no other upgrade begins here
	}
	d.upgrading.Unlock()
	exit := asExit(err)
	u.Error, u.Code = config.Masked(exit.err.Error()), exit.code
	d.log.WithField("error", u.Error).Error("the upgrade has failed, this process goes on")
	d.notify.Status(d.status())
	return u
}

func (d *daemon) handOver(ctx context.Context, u *upgraded) error {
	if err := d.canHandOver(); err != nil {
		return err
	}
	path := d.program
	d.notify.Status("checking the configuration with the new program")
	if err := d.checkWith(ctx, path); err != nil {
		return err
	}
	d.log.WithField("program", path).Info("upgrade: starting the new process")
	d.notify.Status("handing over to a new process")
	s, err := d.startSuccessor(path)
	if err != nil {
		return goesOn(fmt.Errorf("the new process cannot be started: %w", err))
	}
	loaded, err := s.handOver(ctx)
	if remote := (*handover.RemoteError)(nil); errors.As(err, &remote) && remote.Code == exConfig {
		return fail(exConfig, "the new process does not start: %s", remote.Text)
	}
	if err != nil {
		return goesOn(err)
	}
	u.New, u.PID, u.Sessions = loaded.Version, loaded.PID, d.server.Connections()
	d.notify.MainPID(loaded.PID)
	d.successor = s
	close(s.goes)
	return nil
}

// ownProgram is the path at which this program was started. It is asked for at the start: the
// kernel's own note of it (/proc/self/exe) follows the file when somebody renames it, and symbolic
// links are followed there, so that a link to the next version would not count.
func ownProgram() (string, error) {
	if filepath.IsAbs(os.Args[0]) {
		return os.Args[0], nil
	}
	path, err := os.Executable()
	if err != nil {
		return "", fail(exUnavailable, "where this program lies is not known: %v", err)
	}
	return path, nil
}

// goesOn is the error of an upgrade that another try may bring about.
func goesOn(err error) error {
	return fail(exTempFail, "%v; the old process goes on. If that remains so: systemctl restart mailweir", err)
}

// canHandOver reports what keeps this process from having a successor.
func (d *daemon) canHandOver() error {
	switch {
	case !d.notify.Listens():
		return fail(exUnavailable, "mailweir is not run by systemd (Type=notify), and whoever started it would take a new process for none: restart it")
	case os.Getpid() == 1:
		return fail(exUnavailable, "mailweir is the first process of its container, which ends with it: restart the container")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if stats, err := d.backends.State.Stats(ctx); err == nil && stats.Unwritten {
		return fail(exTempFail, "the state cannot be written to disk now, and what is only in memory would be lost: make room first")
	}
	if d.state != nil {
		if err := d.state.Checkpoint(); err != nil { // the more is written now, the less mail waits later
			return fail(exTempFail, "the state cannot be written to disk: %v", err)
		}
	}
	return nil
}

// checkWithin bounds the check of the configuration.
const checkWithin = 2 * time.Minute

// checkWith has the program at a path check the configuration as this service reads it.
func (d *daemon) checkWith(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, append([]string{"check"}, d.settings.origin.Given.Words()...)...)
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "NOTIFY_SOCKET=") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	said := &bytes.Buffer{}
	cmd.Stderr = said
	err := cmd.Run()
	if err == nil {
		return nil
	}
	code := exTempFail
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == exConfig {
		code = exConfig
	}
	text := strings.TrimSpace(said.String())
	if text == "" {
		text = fmt.Sprintf("%s check: %v", path, err)
	}
	return &exitError{code, errors.New(text)}
}
