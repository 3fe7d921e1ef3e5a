package attach

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mailweir/internal/mta"
)

// TestFailures are runs that come to nothing; each leaves what it found.
func TestFailures(t *testing.T) {
	b := newBed(t, "", "n - - smtpd")
	for _, c := range []struct {
		name string
		test func(*testing.T, *bed)
	}{
		{"agreement", agreement},
		{"no mailweir", noMailweir},
		{"rollback", rollback},
		{"interrupted", interrupted},
		{"odd files", oddFiles},
		{"immutable", immutable},
		{"resumed", resumed},
		{"stopped", stopped},
	} {
		t.Run(c.name, func(t *testing.T) { b.t = t; c.test(t, b) })
	}
}

// agreement: who does not say yes has nothing changed.
func agreement(t *testing.T, b *bed) {
	main := b.read("main.cf")
	for _, ask := range []Ask{
		func() (bool, error) { return false, nil },
		func() (bool, error) { return false, fmt.Errorf("%w: no terminal", ErrUnchanged) },
	} {
		if err := b.Init(t.Context(), Choice{PostfixDir: b.etc}, &bytes.Buffer{}, ask); !errors.Is(err, ErrUnchanged) {
			t.Error(err)
		}
	}
	if _, err := os.Stat(b.Fragments); err == nil || b.read("main.cf") != main {
		t.Error("something was written")
	}
}

// noMailweir: nobody answers at the socket, or smtpd's user may not connect. The mail server is
// not touched.
func noMailweir(t *testing.T, b *bed) {
	path := strings.TrimPrefix(b.Listen[0], "unix:")
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.Chmod(path, 0o660) }()
	master := b.read("master.cf")
	out, err := b.init()
	if err == nil || !strings.Contains(err.Error(), "as user postfix") || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("%v\n%s", err, out)
	}
	if b.read("master.cf") != master || strings.Contains(b.log(), "reload") {
		t.Error("Postfix was touched")
	}
}

// rollback: an smtpd that cannot start falls silent, and everything becomes what it was.
func rollback(t *testing.T, b *bed) {
	main, master := b.read("main.cf"), b.read("master.cf")
	j, err := b.readJournal()
	if err != nil {
		t.Fatal(err)
	}
	plan, err := b.Plan(t.Context(), Choice{PostfixDir: b.etc}, j)
	if err != nil {
		t.Fatal(err)
	}
	plan.theirs[0].After = bytes.ReplaceAll(plan.theirs[0].After, []byte("default_action=accept"), []byte("no_such_option=accept"))
	unlock, err := b.lock()
	if err != nil {
		t.Fatal(err)
	}
	err = b.apply(t.Context(), plan, j)
	unlock()
	if !errors.Is(err, mta.ErrSilent) || !strings.Contains(err.Error(), "not attached; all files are as they were") || !strings.Contains(b.said.String(), "postfix answers again") {
		t.Errorf("%v\n%s", err, b.said)
	}
	b.answers(false)
	if b.read("main.cf") != main || b.read("master.cf") != master {
		t.Error("files are not what they were")
	}
	if j, err := b.readJournal(); err != nil || j.Pending != nil || j.Attached != nil {
		t.Errorf("journal %+v, %v", j, err)
	}
}

// interrupted: a run that was killed is taken back by the next one, wherever it ended.
func interrupted(t *testing.T, b *bed) {
	main := b.read("main.cf")
	asked := b.Asked
	defer func() { b.Asked = asked }()
	for name, next := range map[string]func(){
		"init": func() { b.mustInit(); b.answers(true); b.undo() },
		"undo": func() { b.undo() },
	} {
		b.Asked = func(context.Context) (uint64, error) { panic("killed") }
		func() {
			defer func() { _ = recover() }()
			_, _ = b.init()
		}()
		if j, err := b.readJournal(); err != nil || j.Pending == nil || b.read("main.cf") == main {
			t.Fatalf("%s: not interrupted: %+v %v", name, j, err)
		}
		b.Asked = asked
		next()
		if got := b.read("main.cf"); got != main {
			t.Errorf("%s: main.cf is\n%s", name, got)
		}
	}
}

// oddFiles: a symbolic link stays one, and one run at a time.
func oddFiles(t *testing.T, b *bed) {
	real := filepath.Join(filepath.Dir(b.etc), "main.cf.real")
	if err := errors.Join(os.Rename(filepath.Join(b.etc, "main.cf"), real), os.Symlink("../main.cf.real", filepath.Join(b.etc, "main.cf"))); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(real, 0o640); err != nil {
		t.Fatal(err)
	}
	main := b.read("main.cf")
	unlock, err := b.lock()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.init(); err == nil || !strings.Contains(err.Error(), "another mailweir init") {
		t.Errorf("two at once: %v", err)
	}
	unlock()
	b.mustInit()
	info, err := os.Lstat(filepath.Join(b.etc, "main.cf"))
	target, err2 := os.Stat(real)
	if err != nil || err2 != nil || info.Mode()&os.ModeSymlink == 0 || target.Mode().Perm() != 0o640 {
		t.Errorf("%v %v %v", err, err2, info.Mode())
	}
	b.undo()
	if b.read("main.cf") != main {
		t.Error(b.read("main.cf"))
	}
	b.mustInit()
	b.set("mydestination=new.example") // postconf puts a file in place of the link
	b.undo()
	if got := b.value("smtpd_milters"); got != "" {
		t.Errorf("the file in place of the link has %s", got)
	}
}

// resumed: an undo that was killed before Postfix has read what was put back has it read it.
func resumed(t *testing.T, b *bed) {
	b.mustInit()
	run, killed := b.Run, false
	b.Run = func(ctx context.Context, stdin string, argv ...string) (mta.Output, error) {
		if argv[0] == "postfix" && argv[len(argv)-1] == "reload" && !killed {
			killed = true
			panic("killed")
		}
		return run(ctx, stdin, argv...)
	}
	func() {
		defer func() { _ = recover() }()
		_ = b.Undo(t.Context())
	}()
	b.Run = run
	before := strings.Count(b.log(), "reload")
	b.undo()
	if !killed || strings.Count(b.log(), "reload") == before {
		t.Errorf("killed: %v; Postfix was not told to read its files again", killed)
	}
	b.answers(false)
}

// immutable: a file that cannot be replaced stops the run, which is taken back.
func immutable(t *testing.T, b *bed) {
	file := filepath.Join(b.etc, "master.cf")
	if err := exec.Command("chattr", "+i", file).Run(); err != nil {
		t.Skip("this file system has no immutable files")
	}
	defer func() { _ = exec.Command("chattr", "-i", file).Run() }()
	main := b.read("main.cf")
	if _, err := b.init(); !errors.Is(err, os.ErrPermission) || b.read("main.cf") != main {
		t.Errorf("%v\n%s", err, b.read("main.cf"))
	}
	b.answers(false)
}

// stopped: a Postfix that does not run is attached, and nobody blames it for its silence.
func stopped(t *testing.T, b *bed) {
	b.postfix("stop")
	if out := b.mustInit(); !strings.Contains(out, "does not run") {
		t.Error(out)
	}
	b.postfix("start")
	if _, err := b.await(t.Context(), b.probe()); err != nil {
		t.Fatal(err)
	}
	b.answers(true)
}

// notAsked: the mail server answers, but cannot reach mailweir from within its chroot.
func notAsked(t *testing.T, b *bed) {
	outside := filepath.Join(filepath.Dir(b.etc), "queue", "..", "queue", "mailweir", "mailweir.sock")
	b.Listen = []string{"unix:/proc/self/root" + outside} // a path that is not below the queue directory
	out, err := b.init()
	if err == nil || !strings.Contains(err.Error(), "does not ask mailweir") {
		t.Errorf("%v\n%s", err, out)
	}
	b.answers(false)
	if strings.Contains(b.read("main.cf"), "smtpd_milters") {
		t.Error(b.read("main.cf"))
	}
}
