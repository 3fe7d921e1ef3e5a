package runner

import (
	"errors"
	"slices"

	"mailweir/internal/mailauth"
	"mailweir/internal/policy"
	"mailweir/internal/trace"
)

// Past is what is known of a recorded case that is judged once more. Nothing else may be asked, and
// nothing is guessed: what is not known is [trace.ErrNotRecorded].
type Past interface {
	// SPF is the result for the client with that HELO and sender, LOCAL@DOMAIN, "" for the null
	// sender.
	SPF(helo, sender string) (mailauth.SPFResult, error)
	// Signed reports whether the message had a valid signature of one of the domains, or of one
	// that is aligned with it.
	Signed(domains []string) (bool, error)
	// Octets is the size of the message, FromUnknown why its From fields are not known.
	Octets() int64
	FromUnknown() error
	// Said is what a check said then. It is asked where the check cannot judge again for lack of an
	// answer; the place is the one in the printed order. The recipient is nil for what is about
	// client, sender or the whole message.
	Said(check string, stage policy.Stage, place int, r *policy.Recipient) (policy.Verdict, error)
	// Permitted reports whether a permit had let the mail past what a check finds. It is asked
	// where that cannot be told again.
	Permitted(check string, stage policy.Stage, place int, r *policy.Recipient) (bool, error)
}

// NewReplayer returns a session that judges a recorded case: like one of [Runner.NewExplainer], it
// runs every check, tells what each says, and goes on after a refusal. Nothing is learned. The
// policy's backends have to be [policy.Backends.Recorded].
func (rn *Runner) NewReplayer(past Past, tell func(Finding)) *Session {
	s := rn.NewExplainer(tell)
	s.past = past
	return s
}

func notRecorded(err error) bool { return errors.Is(err, trace.ErrNotRecorded) }

// recall replaces the error of a check that lacks an answer by what it said then. What a fact is
// missing for, which hooks read, nobody said.
func recall(past Past, b *bound, stage policy.Stage, rcpt *recipient, w said) said {
	if !notRecorded(w.err) || b.fault {
		return w
	}
	v, err := past.Said(b.Name, stage, b.pos[stage], rcpt.public())
	switch {
	case notRecorded(err):
		return w // says what is missing
	case err != nil:
		return said{err: err}
	}
	return said{verdict: v}
}

// recallPermit finds out, where it cannot be told whether a permit counts, whether one did then: an
// objection that was answered or recorded gave way to none.
func (rs *resolver) recallPermit(f *finding, r *recipient, permit *permitted) {
	permitted, err := rs.past.Permitted(f.check.Name, f.stage, f.pos, r.public())
	if err != nil {
		return // it stays unknown
	}
	permit.by, permit.err = "", nil
	if permitted {
		permit.by = "a permit, as then"
	}
}

func (r *recipient) public() *policy.Recipient {
	if r == nil {
		return nil
	}
	return &r.Recipient
}

// Reply is a check's reply of that id, as it is declared; nil for one that there is not.
func (p *Policy) Reply(check, id string) *policy.Reply {
	for _, b := range p.checks {
		if b.Name != check && b != p.fault {
			continue
		}
		for _, r := range b.Replies {
			if r.ID == id {
				return r
			}
		}
	}
	return nil
}

// Yields reports whether a check gives way to the administrator's permits.
func (p *Policy) Yields(check string) bool {
	const permits = policy.ExemptPermitClient | policy.ExemptPermitSender | policy.ExemptUnvouched | policy.ExemptHeaderFrom
	return slices.ContainsFunc(p.checks, func(b *bound) bool { return b.Name == check && b.Exempt&permits != 0 })
}

// Place is where a check stands in the printed order with what it decides at a stage; 0 for a check
// that there is not.
func (p *Policy) Place(check string, stage policy.Stage) int {
	for _, b := range p.checks {
		if b.Name == check {
			return b.pos[stage]
		}
	}
	return 0
}
