package postfix

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mailweir/internal/mta"
)

// Draft is a copy of main.cf and master.cf in a directory of its own, in which edits are tried:
// what Postfix runs with is not touched. [Draft.Files] reads them back, because postconf ends with
// 0 whatever it did.
type Draft struct {
	run mta.Run
	dir string
	// set are the parameters of main.cf that must be there at the end; overrides those of services,
	// as SERVICE/TYPE/NAME.
	set, overrides map[string]string
}

// NewDraft writes the copies. Close removes them.
func NewDraft(run mta.Run, main, master []byte) (*Draft, error) {
	dir, err := os.MkdirTemp("", "mailweir-postfix-")
	if err != nil {
		return nil, err
	}
	d := &Draft{run: run, dir: dir, set: make(map[string]string), overrides: make(map[string]string)}
	err = errors.Join(os.WriteFile(d.file("main.cf"), main, 0o600), os.WriteFile(d.file("master.cf"), master, 0o600))
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// postconf runs it on the copies. What has just been written would be read again and again for two
// seconds, in case that it is still being written: so the copies are made to look old.
func (d *Draft) postconf(ctx context.Context, argv ...string) (mta.Output, error) {
	old := time.Now().Add(-time.Minute)
	if err := errors.Join(os.Chtimes(d.file("main.cf"), old, old), os.Chtimes(d.file("master.cf"), old, old)); err != nil {
		return mta.Output{}, err
	}
	return d.run(ctx, "", append([]string{"postconf", "-c", d.dir}, argv...)...)
}

func (d *Draft) file(name string) string { return filepath.Join(d.dir, name) }

// Close removes the copies.
func (d *Draft) Close() error { return os.RemoveAll(d.dir) }

// Files returns what the copies have become, if Postfix reads in them what was set.
func (d *Draft) Files(ctx context.Context) (main, master []byte, err error) {
	if err := d.readBack(ctx); err != nil {
		return nil, nil, err
	}
	if main, err = os.ReadFile(d.file("main.cf")); err != nil {
		return nil, nil, err
	}
	master, err = os.ReadFile(d.file("master.cf"))
	return main, master, err
}

// readBack compares what postconf prints with what was set.
func (d *Draft) readBack(ctx context.Context) error {
	for option, want := range map[string]map[string]string{"-n": d.set, "-P": d.overrides} {
		if len(want) == 0 {
			continue
		}
		out, err := d.postconf(ctx, option)
		if err != nil {
			return err
		}
		have, err := ParseParameters(out.Stdout)
		if err != nil {
			return err
		}
		for name, value := range want {
			if have[name] != value {
				return fmt.Errorf("%s = %s was written, but postconf %s reads %q", name, value, option, have[name])
			}
		}
	}
	return nil
}

// Set sets a parameter of main.cf, wherever and however often it stands there.
func (d *Draft) Set(ctx context.Context, name, value string) error {
	if strings.ContainsAny(value, "\r\n\x00") {
		return fmt.Errorf("main.cf: %s: a value of several lines", name)
	}
	d.set[name] = value
	_, err := d.postconf(ctx, "-e", name+"="+value)
	return err
}

// Remove takes a parameter out of main.cf.
func (d *Draft) Remove(ctx context.Context, name string) error {
	delete(d.set, name)
	_, err := d.postconf(ctx, "-X", name)
	return err
}

// SetOverride sets "-o name=value" of a service of master.cf; see the function of that name.
func (d *Draft) SetOverride(key, name, value string) error {
	d.overrides[key+"/"+name] = value
	return d.master(func(text string) (string, error) { return SetOverride(text, key, name, value) })
}

// RemoveOverride takes "-o name=…" of a service out of master.cf; see the function of that name.
func (d *Draft) RemoveOverride(key, name string) error {
	delete(d.overrides, key+"/"+name)
	return d.master(func(text string) (string, error) { return RemoveOverride(text, key, name), nil })
}

func (d *Draft) master(edit func(string) (string, error)) error {
	before, err := os.ReadFile(d.file("master.cf"))
	if err != nil {
		return err
	}
	after, err := edit(string(before))
	if err != nil {
		return err
	}
	return os.WriteFile(d.file("master.cf"), []byte(after), 0o600)
}
