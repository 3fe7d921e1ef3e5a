package expand

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mailweir/internal/textfile"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestDomains(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "names"), "# ours\na.example, B.example\n  # more\n!c.example\nhash:"+dir+"/hash\n")
	write(t, filepath.Join(dir, "hash"), "h.example x\nI.example x\n")
	for _, test := range []struct{ name, domains, yes, no string }{
		{"none", " , ", "bob@x.example bob @x.example bob@", ""},
		{"names", "a.example, B.example\tc.example", "u@a.example u@b.EXAMPLE u@C.example", "u@x.a.example u@example bob @a.example u@ a.example"},
		{"the last at sign", "a.example", "x@b.example@a.example", "x@a.example@b.example"},
		{"not", "!b.example, b.example, static:all", "u@a.example", "u@b.example"},
		{"not not", "!!a.example", "u@a.example", "u@b.example"},
		{"a table", "hash:" + dir + "/hash", "u@h.example u@i.example", "u@x.h.example u@b.example"},
		{"inline", "inline:{a.example=x, {b.example = y}} c.example", "u@a.example u@b.example u@c.example", "u@x.example"},
		{"a file", dir + "/names", "u@a.example u@b.example u@h.example", "u@c.example u@ours u@x.example"},
		{"not a file", "!" + dir + "/names static:all", "u@c.example u@x.example", "u@a.example"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, err := OpenDomains(test.domains)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range []struct {
				keys string
				want bool
			}{{test.yes, true}, {test.no, false}} {
				for _, key := range strings.Fields(c.keys) {
					if got, err := d.Match(t.Context(), key); err != nil || got != c.want {
						t.Errorf("%s: %v, %v; want %v", key, got, err, c.want)
					}
				}
			}
		})
	}
}

func TestDomainErrors(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "loop"), dir+"/loop\n")
	write(t, filepath.Join(dir, "bad"), "hash:"+dir+"/none\n")
	for _, domains := range []string{"a, !", "/nonexistent/x", "hash:/nonexistent/x", "nosuch:x", dir + "/loop", dir + "/bad"} {
		if _, err := OpenDomains(domains); err == nil {
			t.Errorf("%q is taken", domains)
		} else {
			t.Log(err)
		}
	}
}

// TestDomainsChange: what has changed is used after a while, and what is broken stays as it was.
func TestDomainsChange(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "names")
	write(t, file, "a.example\n")
	d, err := OpenDomains(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		text string
		a, b bool
		err  bool
	}{
		{text: "b.example\n", b: true},
		{text: "!\n", b: true, err: true},
		{text: "a.example b.example\n", a: true, b: true},
	} {
		write(t, file, step.text)
		d.checked = time.Now().Add(-time.Hour)
		for key, want := range map[string]bool{"u@a.example": step.a, "u@b.example": step.b} {
			if got, err := d.Match(t.Context(), key); err != nil || got != want {
				t.Errorf("%q: %s is %v, %v", step.text, key, got, err)
			}
		}
		if err := d.Reload(); (err != nil) != step.err {
			t.Errorf("%q: error %v", step.text, err)
		}
	}
}

// TestDomainsInAPipe: it would keep a policy from being loaded.
func TestDomainsInAPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDomains(pipe); !errors.Is(err, textfile.ErrNotRegular) {
		t.Errorf("a pipe: %v", err)
	}
}
