package postfix

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"mailweir/internal/mta"
)

// Draft is a copy of main.cf and master.cf in a directory of its own, in which edits are tried:
// what Postfix runs with is not touched. Each edit is read back, because postconf ends with 0
// whatever it did.
type Draft struct {
	run mta.Run
	dir string
}

// NewDraft writes the copies. Close removes them.
func NewDraft(run mta.Run, main, master []byte) (*Draft, error) {
	dir, err := os.MkdirTemp("", "mailweir-postfix-")
	if err != nil {
		return nil, err
	}
	d := &Draft{run: run, dir: dir}
	err = errors.Join(os.WriteFile(d.file("main.cf"), main, 0o600), os.WriteFile(d.file("master.cf"), master, 0o600))
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *Draft) file(name string) string { return filepath.Join(d.dir, name) }

// Close removes the copies.
func (d *Draft) Close() error { return os.RemoveAll(d.dir) }

// Dir is the directory of the copies, for [Read].
func (d *Draft) Dir() string { return d.dir }

// Files returns what the copies have become.
func (d *Draft) Files() (main, master []byte, err error) {
	if main, err = os.ReadFile(d.file("main.cf")); err != nil {
		return nil, nil, err
	}
	master, err = os.ReadFile(d.file("master.cf"))
	return main, master, err
}

// Set sets a parameter of main.cf, wherever and however often it stands there.
func (d *Draft) Set(ctx context.Context, name, value string) error {
	if strings.ContainsAny(value, "\r\n\x00") {
		return fmt.Errorf("main.cf: %s: a value of several lines", name)
	}
	out, err := d.run(ctx, "", "postconf", "-c", d.dir, "-e", name+"="+value)
	if err != nil {
		return err
	}
	set, err := d.parameter(ctx, name)
	if err == nil && set != value {
		err = fmt.Errorf("main.cf: postconf -e %s had no effect %s", name, strings.TrimSpace(out.Stderr))
	}
	return err
}

// Remove takes a parameter out of main.cf.
func (d *Draft) Remove(ctx context.Context, name string) error {
	_, err := d.run(ctx, "", "postconf", "-c", d.dir, "-X", name)
	return err
}

// parameter is the value of a parameter as main.cf has it.
func (d *Draft) parameter(ctx context.Context, name string) (string, error) {
	out, err := d.run(ctx, "", "postconf", "-c", d.dir, "-h", name)
	return strings.TrimSpace(out.Stdout), err
}

// SetOverride sets "-o name=value" of a service of master.cf; see [SetOverride].
func (d *Draft) SetOverride(ctx context.Context, key, name, value string) error {
	before, err := os.ReadFile(d.file("master.cf"))
	if err != nil {
		return err
	}
	after, err := SetOverride(string(before), key, name, value)
	if err != nil {
		return err
	}
	if err := os.WriteFile(d.file("master.cf"), []byte(after), 0o600); err != nil {
		return err
	}
	out, err := d.run(ctx, "", "postconf", "-c", d.dir, "-P", key+"/"+name)
	if err != nil {
		return err
	}
	_, set, _ := strings.Cut(out.Stdout, "=")
	if strings.TrimSpace(set) != value {
		return fmt.Errorf("master.cf: %s: -o %s=%s is read as %q", key, name, value, strings.TrimSpace(out.Stdout))
	}
	return nil
}

// RemoveOverride takes "-o name=…" of a service out of master.cf; see [RemoveOverride].
func (d *Draft) RemoveOverride(key, name string) error {
	before, err := os.ReadFile(d.file("master.cf"))
	if err != nil {
		return err
	}
	return os.WriteFile(d.file("master.cf"), []byte(RemoveOverride(string(before), key, name)), 0o600)
}
