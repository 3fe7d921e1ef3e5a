package attach

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"mailweir/internal/mta"
)

// Times of what is asked afterwards.
const (
	handshakeWithin = 10 * time.Second
	askedWithin     = 5 * time.Second
	askedEach       = 100 * time.Millisecond
	askedTimes      = 3
)

// baseline asks the mail server before anything is changed: what was silent then is not our fault.
func (h *Host) baseline(ctx context.Context, s mailServer) (up bool) {
	p := s.probe()
	if p == nil {
		h.Say("%s has no service for mail from outside (port 25): whether it answers cannot be tried.", s.name())
		return false
	}
	if !s.running(ctx) {
		return false
	}
	if _, err := p.Run(ctx); err != nil {
		h.Say("%s was silent at %s before anything was changed: %v", s.name(), p.Address, err)
		return false
	}
	return true
}

// handshake tries with the rights of the mail server whether mailweir answers.
func (h *Host) handshake(ctx context.Context, s mailServer, p place) error {
	a, err := s.account()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeWithin)
	defer cancel()
	conn, err := mta.DialAs(ctx, a, p.Network, p.Path)
	if err == nil {
		err = errors.Join(mta.Handshake(ctx, conn), conn.Close())
	}
	switch {
	case err == nil:
		return nil
	case h.Units == "":
		return fmt.Errorf("mailweir does not answer at %s as user %s; start mailweir serve, and run init again: %w", p.Path, a.Name, err)
	}
	return fmt.Errorf("mailweir does not answer at %s as user %s: %w", p.Path, a.Name, errors.Join(err, h.lastWords(ctx)))
}

// verify asks the mail server as a client does, and whether mailweir was asked. up says that it has
// answered before.
func (h *Host) verify(ctx context.Context, s mailServer, up bool) error {
	p := s.probe()
	if p == nil {
		return nil
	}
	before, countErr := h.Asked(ctx)
	answers, seen, err := h.ask(ctx, *p, before, countErr == nil)
	switch {
	case err != nil && !up:
		h.Say("%s is silent at %s, as it was before: %v. When it answers: mailweir doctor", s.name(), p.Address, err)
	case err != nil:
		return fmt.Errorf("%s is silent at %s: %w", s.name(), p.Address, err)
	case countErr != nil:
		h.Say("%s answers (%s); whether it asks mailweir cannot be seen: %v", s.name(), answers.Recipient, countErr)
	case !seen:
		return fmt.Errorf("%s answers (%s), but does not ask mailweir", s.name(), answers.Recipient)
	default:
		h.Say("%s answers: %s; mailweir was asked.", s.name(), answers.Recipient)
	}
	return nil
}

// ask probes until mailweir was asked; other mail counts as well, it shows the
// same. A process that waited for its next client when its configuration changed has that client
// still with the old one (Postfix), or hangs up: so one try is not enough.
func (h *Host) ask(ctx context.Context, p mta.Probe, before uint64, counts bool) (a mta.Answers, seen bool, err error) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(h.Patience, mta.ProbeWithin))
	defer cancel()
	for n := 1; ; n++ {
		answers, failed := p.Run(ctx)
		if err = failed; err == nil {
			a = answers
			if !counts {
				return a, false, nil
			}
			if now, counted := h.Asked(ctx); counted == nil && now > before {
				return a, true, nil
			}
		}
		if n >= askedTimes && time.Since(began) > askedWithin || ctx.Err() != nil {
			return a, false, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(askedEach):
		}
	}
}
