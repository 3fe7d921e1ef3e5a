package attach

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// Choice says which mail server is meant. The zero value is the one that the host has.
type Choice struct {
	// PostfixDir is the configuration directory of an instance of Postfix; SendmailDir the one of a
	// Sendmail. At most one of them is set.
	PostfixDir, SendmailDir string
}

// ErrUnchanged is returned where nothing was changed because nobody agreed.
var ErrUnchanged = errors.New("nothing was changed")

// ErrConfig is the error of a configuration of mailweir that is wrong already.
var ErrConfig = errors.New("the configuration is wrong already, without what init would add")

// Ask asks whether to go on.
type Ask func() (bool, error)

// Init attaches mailweir to the mail server: it shows what would be done, asks, does it, and takes
// it back if the mail server does not answer afterwards. Where all is as it should be, it says so
// and writes nothing. A run that was interrupted is taken back first.
func (h *Host) Init(ctx context.Context, c Choice, out io.Writer, ask Ask) error {
	unlock, err := h.lock()
	if err != nil {
		return err
	}
	defer unlock()
	j, err := h.readJournal()
	if err != nil {
		return err
	}
	if j.Undoing {
		return errors.New("an undo was interrupted; finish it first: mailweir init --undo")
	}
	if j.Pending != nil {
		h.Say("A run that was interrupted is taken back first.")
		if err := h.recover(ctx, j); err != nil {
			return err
		}
	}
	plan, err := h.Plan(ctx, c, j)
	if err != nil {
		return err
	}
	if err := plan.Write(out, h); err != nil {
		return err
	}
	if plan.Nothing() {
		h.Say("Nothing has changed: mailweir is attached to %s.", plan.server.name())
		return nil
	}
	yes, err := ask()
	if err != nil {
		return err
	}
	if !yes {
		return ErrUnchanged
	}
	return h.apply(ctx, plan, j)
}

// Preview shows what Init would do, and does nothing. It needs no rights but to read.
func (h *Host) Preview(ctx context.Context, c Choice, out io.Writer) error {
	j, err := h.readJournal()
	if errors.Is(err, os.ErrPermission) {
		j, err = &journal{}, nil
	}
	if err != nil {
		return err
	}
	plan, err := h.Plan(ctx, c, j)
	if err != nil {
		return err
	}
	if err := plan.Write(out, h); err != nil {
		return err
	}
	if plan.Nothing() {
		h.Say("Nothing has changed: mailweir is attached to %s.", plan.server.name())
	}
	return nil
}

// Plan finds the mail server and says what would be done.
func (h *Host) Plan(ctx context.Context, c Choice, j *journal) (*Plan, error) {
	var s mailServer
	var err error
	if c == (Choice{}) && j.Attached != nil {
		s, err = h.again(ctx, j.Attached)
	} else {
		s, err = h.find(ctx, c)
	}
	if err != nil {
		return nil, err
	}
	if a := j.Attached; a != nil && (a.Server != s.name() || a.Config != s.config()) {
		return nil, fmt.Errorf("mailweir is attached to the %s of %s; take it away from there first: mailweir init --undo", a.Server, a.Config)
	}
	if h.Units != "" && !h.hasUnits(ctx) {
		h.Say("systemd has no %s: mailweir is not started here.", socketUnit)
		h.Units = ""
	}
	return h.plan(ctx, s, j)
}

// sendmailDir is where Sendmail has its configuration.
const sendmailDir = "/etc/mail"

// find reads the mail server that is meant.
func (h *Host) find(ctx context.Context, c Choice) (mailServer, error) {
	if c.SendmailDir != "" {
		return h.sendmail(ctx, c.SendmailDir)
	}
	s, err := h.postfix(ctx, c.PostfixDir)
	if err == nil {
		return s, nil
	}
	if c.PostfixDir == "" && notInstalled(err) {
		if _, statErr := os.Stat(filepath.Join(sendmailDir, "sendmail.mc")); statErr == nil {
			return h.sendmail(ctx, sendmailDir)
		}
		return nil, errors.New("neither Postfix (postconf) nor Sendmail (/etc/mail/sendmail.mc) is on this host")
	}
	return nil, err
}

// notInstalled reports whether a program of the mail server is missing.
func notInstalled(err error) bool { return errors.Is(err, exec.ErrNotFound) }
