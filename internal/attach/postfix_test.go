package attach

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mailweir/internal/mta"
)

// TestChrooted is a Postfix as Debian has it.
func TestChrooted(t *testing.T) {
	b := newBed(t, "smtpd_helo_required = no\n", "y - - smtpd")
	t.Run("there and back", func(t *testing.T) { b.t = t; thereAndBack(t, b) })
	t.Run("not asked", func(t *testing.T) { b.t = t; notAsked(t, b) })
}

// TestOthersWork is a Postfix with a milter that is down, and limits of its own.
func TestOthersWork(t *testing.T) {
	b := newBed(t, "smtpd_milters = { inet:127.0.0.1:1, default_action=accept }\n", "n - - smtpd -o smtpd_soft_error_limit=5")
	t.Run("default action", func(t *testing.T) { b.t = t; defaultAction(t, b) })
	t.Run("undo keeps others' work", func(t *testing.T) { b.t = t; undoKeeps(t, b) })
	t.Run("by hand", func(t *testing.T) { b.t = t; byHand(t, b) })
}

// thereAndBack: what init does, a second run leaves, and undo takes back to the octet.
func thereAndBack(t *testing.T, b *bed) {
	main, master := b.read("main.cf"), b.read("master.cf")
	out := b.mustInit()
	b.answers(true)
	for _, want := range []string{"+smtpd_milters = { unix:mailweir/mailweir.sock,", "+  -o smtpd_hard_error_limit=1100", "mailweir was asked", "local-domains = list:"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if out := b.mustInit(); !strings.Contains(out, "Nothing has changed") {
		t.Errorf("a second run:\n%s", out)
	}
	b.set("mydestination=test.example, new.example")
	if out := b.mustInit(); !strings.Contains(out, "+new.example") || strings.Contains(out, "+smtpd_milters") {
		t.Errorf("after a new domain:\n%s", out)
	}
	b.set("mydestination=test.example")
	b.undo()
	b.answers(false)
	if got := b.read("main.cf"); got != main {
		t.Errorf("main.cf is\n%s\nwas\n%s", got, main)
	}
	if got := b.read("master.cf"); got != master {
		t.Errorf("master.cf is\n%s\nwas\n%s", got, master)
	}
	left, err := filepath.Glob(filepath.Join(b.Etc, "*"))
	fragments, err2 := filepath.Glob(filepath.Join(b.Fragments, "*"))
	if err != nil || err2 != nil || slices.Contains(left, "local-domains") || len(fragments) > 0 {
		t.Errorf("left: %v %v", left, fragments)
	}
	if out := b.undo(); !strings.Contains(out, "nothing to take back") {
		t.Errorf("a second undo: %s", out)
	}
}

// undoKeeps: other milters and what was changed since stay, and are named.
func undoKeeps(t *testing.T, b *bed) {
	b.mustInit()
	b.answers(true)
	if got := b.value("smtpd_milters"); !strings.HasPrefix(got, "{ unix:") || !strings.HasSuffix(got, ", { inet:127.0.0.1:1, default_action=accept }") {
		t.Errorf("attached: %s", got)
	}
	b.set("smtpd_milters=" + b.value("smtpd_milters") + " { inet:127.0.0.1:2, default_action=accept }")
	put(t, filepath.Join(b.etc, "master.cf"), strings.Replace(b.read("master.cf"), "hard_error_limit=1100", "hard_error_limit=2000", 1))
	said := b.undo()
	if got, want := b.value("smtpd_milters"), "{ inet:127.0.0.1:1, default_action=accept } { inet:127.0.0.1:2, default_action=accept }"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if master := b.read("master.cf"); !strings.Contains(master, "smtpd -o smtpd_soft_error_limit=5\n") || !strings.Contains(master, "hard_error_limit=2000") {
		t.Error(master)
	}
	if !strings.Contains(said, "smtpd_hard_error_limit = 2000 was changed since and stays") {
		t.Error(said)
	}
	b.answers(false)
}

// defaultAction: the first enforce has mail wait while mailweir is down, in our entry alone; undo
// still takes everything back.
func defaultAction(t *testing.T, b *bed) {
	main := b.read("main.cf")
	if changed, err := b.SetDefaultAction(t.Context(), "tempfail"); changed || err != nil {
		t.Errorf("before init: %v %v", changed, err)
	}
	b.mustInit()
	for i, want := range []bool{true, false} {
		if changed, err := b.SetDefaultAction(t.Context(), "tempfail"); changed != want || err != nil {
			t.Errorf("%d: %v %v", i, changed, err)
		}
	}
	if got := b.value("smtpd_milters"); !strings.Contains(got, "default_action=tempfail }, { inet:127.0.0.1:1, default_action=accept }") {
		t.Error(got)
	}
	if out := b.mustInit(); !strings.Contains(out, "Nothing has changed") {
		t.Errorf("init after enforce:\n%s", out)
	}
	if _, err := b.SetDefaultAction(t.Context(), "reject"); err == nil {
		t.Error("reject was taken")
	}
	b.answers(true)
	b.undo()
	if b.read("main.cf") != main {
		t.Error(b.read("main.cf"))
	}
}

// byHand: whoever has attached mailweir by hand before init is told so by an undo: an MTA that asks
// a mailweir that is removed defers all mail.
func byHand(t *testing.T, b *bed) {
	milters := "{ inet:127.0.0.1:1, default_action=accept }, { " + b.Listen[0] + ", default_action=tempfail }"
	b.set("smtpd_milters=" + milters)
	b.set("non_smtpd_milters=" + b.Listen[0])
	b.mustInit()
	err := b.Undo(t.Context())
	var still *StillAskedError
	if !errors.As(err, &still) || b.value("smtpd_milters") != milters {
		t.Fatalf("%v; %s", err, b.value("smtpd_milters"))
	}
	for _, command := range still.Commands {
		if out, err := exec.Command("sh", "-c", command).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", command, err, out)
		}
	}
	if got := b.value("smtpd_milters") + "|" + b.value("non_smtpd_milters"); got != "{ inet:127.0.0.1:1, default_action=accept }|" {
		t.Errorf("%q leave %s", still.Commands, got)
	}
	b.postfix("reload")
	b.undo()
}

func TestSeveralInstances(t *testing.T) {
	h := testHost(t, t.TempDir(), &strings.Builder{})
	h.Run = func(_ context.Context, _ string, argv ...string) (mta.Output, error) {
		if argv[0] != "postmulti" {
			return mta.Output{}, fmt.Errorf("%v was run", argv)
		}
		return mta.Output{Stdout: "- - y /etc/postfix\nmx-in mta y /etc/postfix-in\n"}, nil
	}
	err := h.Preview(t.Context(), Choice{}, os.Stdout)
	if err == nil || !strings.Contains(err.Error(), "mailweir init --postfix-config-dir=/etc/postfix-in   # mx-in") {
		t.Error(err)
	}
}

func TestPortNumber(t *testing.T) {
	for text, want := range map[string]int{"smtp": 25, "25": 25, "submissions": 465, "smtps": 465, "587": 587, "": 0, "no-such-service": 0, strconv.Itoa(10025): 10025} {
		if got := portNumber(text); got != want {
			t.Errorf("%q is %d, want %d", text, got, want)
		}
	}
}
