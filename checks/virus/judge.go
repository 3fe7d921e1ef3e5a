package virus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mailweir/internal/clamd"
	"mailweir/internal/policy"
	"mailweir/internal/trace"
)

type rule struct {
	env      *policy.Env
	scanners []*clamd.Scanner
	group    *clamd.Group
	maxSize  int64
	rejects  [len(choiceFlags)]bool
	outbound policy.OnError // Fails: as --virus-on-error
	question policy.Question[seen]
	dates    dates
}

// seen is what was learned of a message that goes on: what of it was not scanned.
type seen struct{ unexamined []policy.Unexamined }

func (r *rule) hooks() policy.Hooks {
	hooks := policy.Hooks{
		Headers: func(m *policy.Message) (policy.Verdict, error) {
			m.Keep()
			return policy.Pass, nil
		},
		Message: r.message,
		SettleMessage: func(_ context.Context, m *policy.Message, _ policy.Outcome) {
			found, _ := r.question.Of(m)
			m.Unexamined = append(m.Unexamined, found.unexamined...)
		},
		Tick: r.tick,
	}
	for _, s := range r.scanners {
		hooks.Inspections = append(hooks.Inspections, r.inspection(s))
	}
	return hooks
}

// message has the message scanned, unless it is refused for its size anyway.
func (r *rule) message(m *policy.Message) (policy.Verdict, error) {
	if octets := m.Octets; r.rejects[clamd.Limited] && octets > r.maxSize {
		size := policy.Size(r.maxSize)
		return policy.Object(replyUnscanned, tooLarge).Because("%d octets, more than --virus-max-size=%s: not scanned, and --virus-oversize=reject", octets, &size), nil
	}
	failing := r.onError(m)
	return r.question.Later(m, func(ctx context.Context) (seen, policy.Verdict, error) {
		result, err := r.group.Scan(ctx, m.Open)
		r.tell(ctx, result, err)
		if errors.Is(err, clamd.ErrMessage) {
			// Whoever makes a message that cannot be kept, by its header or by many at once, must
			// not get past by that.
			return seen{}, policy.Pass, policy.DeferOn(err)
		}
		if err != nil {
			return seen{}, policy.Pass, failing(err)
		}
		found, verdict := r.judge(result)
		return found, verdict, nil
	}), nil
}

// tooLarge stands where the name of a signature does.
const tooLarge = "Too large to scan"

// judge says what a scan comes to.
func (r *rule) judge(result clamd.Result) (seen, policy.Verdict) {
	says := fmt.Sprintf("%s: %s, %d octets in %s", result.Scanner, describe(result), result.Octets, result.Took.Round(time.Millisecond))
	var found seen
	skipped := func(limit, where string) {
		found.unexamined = append(found.unexamined, policy.Unexamined{Limit: limit, Where: result.Scanner + ": " + where})
	}
	switch kind := result.Kind; {
	case kind == clamd.Infected:
		return seen{}, policy.Object(reply, result.Signature).Because("%s", says)
	case kind != clamd.Clean && r.rejects[kind]:
		return seen{}, policy.Object(replyUnscanned, result.Signature).Because("%s; --virus-%s=reject", says, choiceFlags[kind])
	case kind != clamd.Clean:
		skipped("scan-"+choiceFlags[kind], policy.Clean(result.Signature))
	}
	if result.Cut && r.rejects[clamd.Limited] {
		return seen{}, policy.Object(replyUnscanned, tooLarge).Because("%s, and more follows; --virus-oversize=reject", says)
	}
	if result.Cut {
		skipped("scan-size", fmt.Sprintf("only the first %d octets were scanned", result.Octets))
	}
	return found, policy.Pass.Because("%s", says)
}

// describe says what a scanner has found.
func describe(result clamd.Result) string {
	if result.Kind == clamd.Clean {
		return "nothing found"
	}
	return policy.Clean(result.Signature)
}

// tell notes a scan for the event and the metrics.
func (r *rule) tell(ctx context.Context, result clamd.Result, err error) {
	word, answer := result.Kind.String(), describe(result)
	switch {
	case err != nil && ctx.Err() == context.Canceled:
		word = "abandoned" // the message has been refused for something else, or has gone
	case err != nil:
		word = "error"
	case result.Kind == clamd.Clean && result.Cut:
		word = clamd.Limited.String()
	}
	if err != nil {
		answer = err.Error()
	}
	trace.Add(ctx, "scan for viruses", fmt.Sprintf("%s (%s)", answer, result.Took.Round(time.Millisecond)))
	r.env.TellScan(word, result.Octets, result.Took)
}

// onError returns what becomes of an error for this message. After DATA it is the whole message
// that waits or goes on: where recipients differ it waits if that is what either flag says.
func (r *rule) onError(m *policy.Message) func(error) error {
	outbound, others := false, false
	for rcpt := range m.Recipients() {
		if rcpt.Direction == policy.Outbound {
			outbound = true
		} else {
			others = true
		}
	}
	switch {
	case !outbound || r.outbound == policy.Fails:
	case r.outbound == policy.Delay:
		return policy.DeferOn
	case !others:
		return policy.LetOn
	}
	return func(err error) error { return err }
}
