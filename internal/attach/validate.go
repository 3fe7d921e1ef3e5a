package attach

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// validate tries the proposed lines as mailweir would read them. A line that it refuses becomes a
// comment that says why: a table of the mail server may have what mailweir does not understand. The
// error is that of the configuration without any of them.
func (h *Host) validate(ctx context.Context, p *Proposal) error {
	dir, err := os.MkdirTemp("", "mailweir-init-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, t := range p.Tables {
		if err := os.WriteFile(filepath.Join(dir, t.Name), []byte(t.Text), 0o644); err != nil {
			return err
		}
	}
	try := &trial{host: h, dir: dir, fragments: filepath.Join(dir, "conf.d")}
	if err := try.copyFragments(); err != nil {
		return err
	}
	if err := try.check(ctx, p.Lines); err == nil {
		return nil
	}
	if err := try.check(ctx, nil); err != nil {
		return fmt.Errorf("%w: %s", ErrConfig, try.real(err.Error()))
	}
	var accepted []Line
	for i, l := range p.Lines {
		if l.Off != "" {
			continue
		}
		if err := try.check(ctx, append(accepted, l)); err != nil {
			p.off(i, "mailweir check says "+oneLine(try.real(err.Error())))
			continue
		}
		accepted = append(accepted, l)
	}
	p.whole()
	return nil
}

// trial is a directory with a configuration that is being tried.
type trial struct {
	host           *Host
	dir, fragments string
}

func (t *trial) copyFragments() error {
	if err := os.Mkdir(t.fragments, 0o755); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(t.host.Fragments, "*.conf"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if filepath.Base(file) == fragment {
			continue
		}
		data, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(filepath.Join(t.fragments, filepath.Base(file)), data, 0o600)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *trial) check(ctx context.Context, lines []Line) error {
	p := Proposal{Lines: slices.Clone(lines)}
	p.settle(t.dir)
	if err := os.WriteFile(filepath.Join(t.fragments, fragment), []byte(p.Text()), 0o600); err != nil {
		return err
	}
	return t.host.Check(ctx, t.fragments)
}

// real names the places that the trial stands for.
func (t *trial) real(text string) string {
	text = strings.ReplaceAll(text, t.fragments, t.host.Fragments)
	return strings.ReplaceAll(text, t.dir, t.host.Etc)
}

// readers are the groups of files that the service cannot read otherwise; lines whose files only
// root may read become comments. Without systemd it is not known who runs mailweir.
func (h *Host) readers(p *Proposal, own string) (groups []string) {
	if h.Units == "" {
		return nil
	}
	for i, l := range p.Lines {
		path := fileOf(l.Value)
		if l.Off != "" || path == "" || strings.Contains(l.Value, tableMark) {
			continue
		}
		need, err := groupsFor(path)
		if err != nil {
			p.off(i, err.Error())
			continue
		}
		for _, g := range need {
			if g != own && !slices.Contains(groups, g) {
				groups = append(groups, g)
			}
		}
	}
	p.whole()
	return groups
}

// fileTypes are tables whose source is a file.
var fileTypes = slices.Concat(textTypes, []string{"cidr", "regexp", "pcre", "list", "ldap", "mysql", "pgsql", "sqlite"})

// fileOf is the file of a table in a line, [DOMAIN=]TYPE:/FILE; "" for none.
func fileOf(value string) string {
	if domain, source, found := strings.Cut(value, "="); found && !strings.Contains(domain, ":") {
		value = source
	}
	kind, path, _ := strings.Cut(value, ":")
	if !slices.Contains(fileTypes, kind) || !strings.HasPrefix(path, "/") {
		return ""
	}
	return path
}

// groupsFor are the groups in which a user must be who is to read a file: its own and those of the
// directories above it. None where everybody may.
func groupsFor(path string) (groups []string, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	need := func(name string, info fs.FileInfo, others, group fs.FileMode) error {
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok || info.Mode()&others != 0 {
			return nil
		}
		if info.Mode()&group == 0 || stat.Gid == 0 {
			return fmt.Errorf("only its owner may read %s; give it a group that the service can be in, such as postfix", name)
		}
		g, err := user.LookupGroupId(strconv.FormatUint(uint64(stat.Gid), 10))
		if err != nil {
			return err
		}
		if !slices.Contains(groups, g.Name) {
			groups = append(groups, g.Name)
		}
		return nil
	}
	if err := need(path, info, 0o004, 0o040); err != nil {
		return nil, err
	}
	for dir := filepath.Dir(path); dir != "/" && dir != "."; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return nil, err
		}
		if err := need(dir, info, 0o001, 0o010); err != nil {
			return nil, err
		}
	}
	return groups, nil
}
