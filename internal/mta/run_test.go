package mta

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestRun(t *testing.T) {
	run := Programs(10*time.Second, "WHO=bob")
	out, err := run(t.Context(), "typed", "sh", "-c", `cat; echo " $WHO $HOME"; echo careful >&2`)
	if err != nil {
		t.Fatal(err)
	}
	if out.Stdout != "typed bob \n" || out.Stderr != "careful\n" {
		t.Errorf("got %+v", out)
	}
}

func TestRunFails(t *testing.T) {
	run := Programs(10 * time.Second)
	_, err := run(t.Context(), "", "sh", "-c", "echo no such service >&2; exit 3")
	if want := "exit status 3: no such service"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("error %v, want one that ends in %q", err, want)
	}
	if _, err := run(t.Context(), "", "no-such-program-here"); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("error %v of a program that is not there", err)
	}
}

// A program that hangs is killed, and a child of it that keeps the output open does not matter.
func TestRunHangs(t *testing.T) {
	began := time.Now()
	_, err := Programs(100*time.Millisecond)(t.Context(), "", "sh", "-c", "sleep 60 & sleep 60")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestRunEndless(t *testing.T) {
	_, err := Programs(20*time.Second)(t.Context(), "", "yes")
	if err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}
