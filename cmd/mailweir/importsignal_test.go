package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"mailweir/internal/attach"
)

// A signal ends an import whatever it waits for, and what ends by itself keeps its own words.
func TestImportEndsBySignal(t *testing.T) {
	ctx, signal := context.WithCancel(t.Context())
	own := errors.New("its own")
	if err := untilSignal(ctx, time.Hour, func() error { return own }); !errors.Is(err, own) {
		t.Errorf("without a signal: %v", err)
	}
	signal()
	if err := untilSignal(ctx, time.Hour, func() error { return own }); !errors.Is(err, own) {
		t.Errorf("it ends by itself: %v", err)
	}
	forever := make(chan struct{})
	defer close(forever)
	err := untilSignal(ctx, time.Millisecond, func() error { <-forever; return nil })
	if err == nil || !strings.Contains(err.Error(), "ended by a signal") {
		t.Errorf("it never ends: %v", err)
	}
}

// After a signal nothing is written, though what was read by then would do.
func TestImportWritesNothingAfterSignal(t *testing.T) {
	ctx, signal := context.WithCancel(t.Context())
	signal()
	q := &importQuestion{yes: true}
	if err := q.mayWrite(ctx, nil, true); !errors.Is(err, errSignal) {
		t.Errorf("nobody is asked: %v", err)
	}
	q.yes = false
	cmd := &cobra.Command{}
	cmd.SetOut(io.Discard)
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer errors.Join(in.Close(), out.Close())
	cmd.SetIn(in)
	if err := q.mayWrite(t.Context(), cmd, true); !errors.Is(err, attach.ErrUnchanged) {
		t.Errorf("no terminal: %v", err)
	}
	if err := q.mayWrite(t.Context(), cmd, false); err != nil {
		t.Errorf("nothing is to be written: %v", err)
	}
}
