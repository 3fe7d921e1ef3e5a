package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/sirupsen/logrus"

	"mailweir/internal/backend"
	"mailweir/internal/config"
	"mailweir/internal/runner"
)

// inspectWithin is how long "mailweir check" waits for each answer.
const inspectWithin = 10 * time.Second

// writeInspected says what has answered, and what has not.
func writeInspected(out io.Writer, list []runner.Inspected) error {
	for _, one := range list {
		line := "asked " + one.Name + ": " + one.Text
		if one.Err != nil {
			line = "note: " + one.Name + " " + fails(one.Err) + ": " + one.Err.Error()
		}
		if _, err := fmt.Fprintln(out, config.Masked(line)); err != nil {
			return err
		}
		for _, r := range one.Remarks {
			if _, err := fmt.Fprintln(out, "note:", config.Masked(one.Name+": "+r)); err != nil {
				return err
			}
		}
	}
	return nil
}

// fails says whether somebody does not answer, or answers what is of no use: a refusal, or an
// error.
func fails(err error) string {
	var network net.Error
	if errors.As(err, &network) {
		return "does not answer"
	}
	for _, silent := range []error{io.EOF, io.ErrUnexpectedEOF, context.DeadlineExceeded, backend.ErrUnavailable, backend.ErrBusy} {
		if errors.Is(err, silent) {
			return "does not answer"
		}
	}
	return "answers with an error"
}

// announceInspected writes the same to the log, before the line that says ready.
func announceInspected(log *logrus.Logger, list []runner.Inspected) {
	for _, one := range list {
		entry := log.WithField("backend", one.Name)
		if one.Err != nil {
			entry.WithField("error", config.Masked(one.Err.Error())).Warn("backend " + fails(one.Err))
			continue
		}
		entry.WithField("found", config.Masked(one.Text)).Info("backend answers")
		for _, r := range one.Remarks {
			entry.Warn(config.Masked(r))
		}
	}
}

const (
	// verboseWithin is how long /readyz?verbose waits.
	verboseWithin = 2 * time.Second
	// verboseEvery is how often it asks: whoever may look must not be able to load what is asked.
	verboseEvery = 10 * time.Second
)
