package attach

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Plan is all that a run would do.
type Plan struct {
	server  mailServer
	place   place
	remarks []string
	// own are mailweir's files, dropIns those of systemd, theirs the mail server's.
	own, dropIns, theirs []Change
	settings             []setting
	// asleep says that mailweir is not running, or would not be after a boot.
	asleep bool
	// serverOnly leaves mailweir as it is.
	serverOnly bool
}

// plan reads the mail server and makes every file again in memory.
func (h *Host) plan(ctx context.Context, s mailServer, j *journal) (*Plan, error) {
	p := s.propose()
	groups := h.readers(p, "mailweir")
	if err := h.validate(ctx, p); err != nil {
		return nil, err
	}
	plan := &Plan{server: s, place: s.socket(h), remarks: p.Remarks}
	if err := plan.ownFiles(h, p, j); err != nil {
		return nil, err
	}
	if err := plan.unitFiles(h, groups); err != nil {
		return nil, err
	}
	var before []string
	if j.Attached != nil {
		before = []string{j.Attached.Address}
	}
	var err error
	if plan.theirs, plan.settings, err = s.attach(ctx, plan.place.Address, before); err != nil {
		return nil, err
	}
	if h.Units != "" {
		units, err := h.unitStates(ctx)
		if err != nil {
			return nil, err
		}
		plan.asleep = slices.ContainsFunc(units, func(u unit) bool { return !u.Enabled || !u.Active })
	}
	return plan, nil
}

// ownFiles are 50-init.conf and the tables that it names.
func (p *Plan) ownFiles(h *Host, proposal *Proposal, j *journal) error {
	for _, t := range proposal.Tables {
		path := filepath.Join(h.Etc, t.Name)
		if _, err := os.Lstat(path); err == nil && !j.wrote(path) {
			// Somebody else's: that one stays, and ours has another name.
			proposal.rename(t.Name, t.Name+".init")
			path += ".init"
		}
		if err := p.file(&p.own, path, t.Text); err != nil {
			return err
		}
	}
	proposal.settle(h.Etc)
	return p.file(&p.own, filepath.Join(h.Fragments, fragment), proposal.Text())
}

// wrote reports whether a file is one that init has made.
func (j *journal) wrote(path string) bool {
	return j.Attached != nil && slices.ContainsFunc(j.Attached.Files, func(e entry) bool { return e.Path == path && e.Before == "" })
}

func (p *Proposal) rename(from, to string) {
	for i := range p.Lines {
		p.Lines[i].Value = strings.ReplaceAll(p.Lines[i].Value, tableMark+from, tableMark+to)
	}
}

func (p *Plan) file(to *[]Change, path, text string) error {
	c, err := readChange(path)
	if err != nil {
		return err
	}
	c.After = []byte(text)
	if text == "" {
		c.After = nil
	}
	*to = append(*to, c)
	return nil
}

const dropInHead = "# Written by mailweir init; mailweir init --undo takes it away.\n"

// unitFiles are the drop-ins of systemd.
func (p *Plan) unitFiles(h *Host, groups []string) error {
	if h.Units == "" {
		return nil
	}
	socket, service := "", ""
	if p.place.DropIn != "" {
		socket = dropInHead + p.place.DropIn
	}
	if len(groups) > 0 {
		service = dropInHead + "[Service]\n# Tables of the mail server that only this group may read.\nSupplementaryGroups=" + strings.Join(groups, " ") + "\n"
	}
	if err := p.file(&p.dropIns, h.dropInFile(socketUnit), socket); err != nil {
		return err
	}
	return p.file(&p.dropIns, h.dropInFile(serverUnit), service)
}

// Nothing reports whether all is as it would be made.
func (p *Plan) Nothing() bool {
	return !p.asleep && !changed(p.changes())
}

// changes are all of them, in the order in which they are written.
func (p *Plan) changes() []Change { return slices.Concat(p.own, p.dropIns, p.theirs) }

// Write shows what would be done.
func (p *Plan) Write(out io.Writer, h *Host) error {
	for _, r := range p.remarks {
		if _, err := fmt.Fprintln(out, "note:", oneLine(r)); err != nil {
			return err
		}
	}
	if p.Nothing() {
		return nil
	}
	if err := writeAll(out, p.changes()); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\nThen:\n%s", p.steps(h))
	return err
}

// steps are the commands that follow.
func (p *Plan) steps(h *Host) string {
	var b strings.Builder
	if h.Units != "" {
		fmt.Fprintf(&b, "  systemctl daemon-reload; systemctl enable --now %s %s\n", socketUnit, serverUnit)
	} else {
		fmt.Fprintf(&b, "  mailweir must be running and listen at %s\n", p.place.Path)
	}
	fmt.Fprintf(&b, "  try whether mailweir answers at %s\n", p.place.Path)
	if changed(p.theirs) {
		fmt.Fprintf(&b, "  have %s read its configuration again, and ask it as a client does; if it is silent, all files become what they were\n", p.server.name())
	}
	return b.String()
}

func changed(changes []Change) bool {
	return slices.ContainsFunc(changes, func(c Change) bool { return !c.nothing() })
}

// makeDirs makes the directories of a file.
func makeDirs(path string) error {
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err != nil && os.IsExist(err) {
		return &fs.PathError{Op: "mkdir", Path: filepath.Dir(path), Err: fs.ErrExist}
	}
	return err
}
