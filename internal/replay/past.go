package replay

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"mailweir/internal/mailauth"
	"mailweir/internal/policy"
	"mailweir/internal/runner"
	"mailweir/internal/state"
	"mailweir/internal/trace"
)

// past is a recorded case that is judged once more: a [runner.Past].
type past struct {
	t       *policy.Transaction
	queries map[string]string
	state   state.Store
	missing error          // of what the record does not have
	policy  *runner.Policy // under which it is judged
	// then are the digests of the checks of the policy that judged then, nil where they are not
	// known; now are those of this one, permits says that the administrator's permits are the same.
	then, now map[string]string
	permits   bool
	// events are the decisions that the outcomes name, by their ids. decisions are all those of the
	// case; they are looked for when one is needed.
	events    map[string]*policy.Event
	decisions func() ([]*policy.Event, error)
}

func newPast(t *policy.Transaction) *past {
	slices.SortStableFunc(t.Recipients, func(a, b policy.RecipientOutcome) int { return a.Number - b.Number })
	p := &past{t: t, queries: make(map[string]string, len(t.Queries)), missing: trace.ErrNotRecorded}
	if t.LeftOut > 0 {
		p.missing = trace.ErrLeftOut
	}
	for _, q := range t.Queries {
		if _, known := p.queries[q.Question]; !known && !strings.HasSuffix(q.Answer, "…") { // else it was cut
			p.queries[q.Question] = q.Answer
		}
	}
	p.state = state.NewRecorded(t.State, p.missing, func() time.Time { return t.Begun })
	return p
}

// SPF is the result that was found then.
func (p *past) SPF(helo, sender string) (mailauth.SPFResult, error) {
	question := mailauth.SPFQuestion(p.t.Client, helo, sender)
	said, ok := p.queries[question]
	switch {
	case ok && said == string(mailauth.SPFTempError):
		return mailauth.SPFTempError, errors.New("spf: the DNS failed then")
	case ok:
		return mailauth.SPFResult(said), nil
	case question == mailauth.SPFQuestion(p.t.Client, p.t.Helo, sender) && strings.EqualFold(sender, p.t.Sender) && p.t.SPF != "":
		return p.t.SPF, nil
	}
	return "", fmt.Errorf("%s: %w", question, p.missing)
}

// Signed reports whether a signature was found valid then. One that was not looked at may have
// been.
func (p *past) Signed(domains []string) (bool, error) {
	aligned := func(domain string) bool {
		return slices.ContainsFunc(domains, func(other string) bool { return mailauth.Aligned(domain, other) })
	}
	if slices.ContainsFunc(p.t.DKIM, aligned) {
		return true, nil
	}
	for question := range p.queries {
		if domain, ok := strings.CutPrefix(question, "dkim "); ok && aligned(domain) {
			return false, nil
		}
	}
	return false, fmt.Errorf("dkim %s: %w", strings.Join(domains, " "), p.missing)
}

// Octets is the size of the message.
func (p *past) Octets() int64 { return p.t.Octets }

// FromUnknown is why header From is not known: the record has the first field, cut at a thousand
// octets, where it keeps such fields at all.
func (p *past) FromUnknown() error {
	if n := p.t.Facts.Froms; n == 0 || n == 1 && p.t.From != "" && len(p.t.From) < policy.MaxKeptField {
		return nil
	}
	return fmt.Errorf("header From: %w", errNotKept)
}

// errNotKept is about what the record may leave out.
var errNotKept = fmt.Errorf("not kept: %w", trace.ErrNotRecorded)

// Said is what a check said then, if it judges by the same settings and lists now.
func (p *past) Said(check string, stage policy.Stage, place int, r *policy.Recipient) (policy.Verdict, error) {
	if p.then == nil || p.then[check] == "" || p.then[check] != p.now[check] {
		return policy.Pass, trace.ErrNotRecorded
	}
	if p.named(check, nil) { // else it has decided nothing, and nobody need look for that
		events, err := p.decisions()
		if err != nil {
			return policy.Pass, fmt.Errorf("%w: %w", err, trace.ErrNotRecorded)
		}
		for _, e := range events {
			if e.Check == check && e.Stage == stage && concerns(e, r) {
				return p.repeat(e)
			}
		}
	}
	if p.named(check, r) || !p.reached(stage, place, r) || !p.permits && p.policy.Yields(check) {
		return policy.Pass, trace.ErrNotRecorded
	}
	return policy.Pass, nil
}

// Permitted reports whether the mail was let past a check then, where permits are the same now.
func (p *past) Permitted(check string, stage policy.Stage, place int, r *policy.Recipient) (bool, error) {
	if !p.permits {
		return false, trace.ErrNotRecorded
	}
	v, err := p.Said(check, stage, place, r)
	return err == nil && !v.Objects(), err
}

// concerns reports whether a decision is about a recipient; nil is any.
func concerns(e *policy.Event, r *policy.Recipient) bool {
	return r == nil || len(e.Recipients) == 0 || slices.Contains(e.Recipients, r.RcptFacts.Recipient)
}

// repeat is the verdict that led to a decision.
func (p *past) repeat(e *policy.Event) (policy.Verdict, error) {
	switch e.Action {
	case policy.ActionError:
		return policy.Pass, fmt.Errorf("as then: %s", e.Err)
	case policy.ActionNoted, policy.ActionChanged, policy.ActionWouldChange, policy.ActionNotDone, policy.ActionUnexamined:
		return policy.Pass, nil // the mail went on
	}
	if e.Err != "" {
		return policy.Pass, fmt.Errorf("as then: %s", e.Err)
	}
	reply := p.policy.Reply(e.Check, e.Reply)
	if reply == nil {
		return policy.Pass, trace.ErrNotRecorded
	}
	v := policy.Object(reply).Because("as then: %s", e.Cause)
	if len(reply.Args) > 0 && e.Line.Code() != 0 {
		v = v.Text(e.Line.Text())
	}
	return v, nil
}

// named reports whether the check stands in what became of the case, so that it said something that
// the record no longer tells.
func (p *past) named(check string, r *policy.Recipient) bool {
	in := func(o policy.Outcome) bool { return o.Check == check || slices.Contains(o.Would, check) }
	if in(p.t.Outcome) {
		return true
	}
	return slices.ContainsFunc(p.t.Recipients, func(o policy.RecipientOutcome) bool {
		return (r == nil || o.Recipient == r.RcptFacts.Recipient) && in(o.Outcome)
	})
}

// reached reports whether the check was asked at that stage: nothing had been refused before it.
func (p *past) reached(stage policy.Stage, place int, r *policy.Recipient) bool {
	if stage > policy.StageRcpt && !ended(p.t) {
		return false
	}
	if stage <= policy.StageRcpt && r != nil {
		return slices.ContainsFunc(p.t.Recipients, func(o policy.RecipientOutcome) bool {
			return o.Recipient == r.RcptFacts.Recipient && p.before(place, o.Outcome)
		})
	}
	return p.before(place, p.t.Outcome)
}

// before reports whether a check stands in front of the one that decided.
func (p *past) before(place int, decided policy.Outcome) bool {
	if !decided.Bad() || decided.Fate == policy.Removed {
		return true
	}
	e := p.events[decided.Event]
	return e != nil && place < p.policy.Place(e.Check, e.Stage)
}

// ended reports whether the message came whole, to its end.
func ended(t *policy.Transaction) bool {
	return t.Octets > 0 && t.Fate != policy.Abandoned && t.Fate != policy.Lost
}
