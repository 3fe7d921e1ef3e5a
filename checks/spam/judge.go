package spam

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync"

	"mailweir/internal/policy"
	"mailweir/internal/spamscan"
	"mailweir/internal/trace"
)

// rule is the check within one policy.
type rule struct {
	env             *policy.Env
	pool            *spamscan.Pool
	rejectAt, tagAt threshold
	directions      []policy.Direction
	maxSize         int64
	monitors        bool // in its mode nothing is enforced
}

func (s *rule) hooks() policy.Hooks {
	return policy.Hooks{
		Headers: func(m *policy.Message) (policy.Verdict, error) {
			if s.wants(m) {
				m.Keep()
			}
			return policy.Pass, nil
		},
		Message: func(m *policy.Message) (policy.Verdict, error) {
			if !s.wants(m) {
				return policy.Pass, nil
			}
			return s.message(m), nil
		},
	}
}

// wants reports whether the message goes in a direction in which messages are shown, for any
// recipient.
func (s *rule) wants(m *policy.Message) bool {
	return m.AnyRecipient(func(r *policy.Recipient) bool { return slices.Contains(s.directions, r.Direction) })
}

// message judges a message by one scan: whether it is refused, and how it is changed otherwise. The
// two are judged apart, so that what a permit lets past for one recipient is marked for another.
func (s *rule) message(m *policy.Message) policy.Verdict {
	forged, left := forgedFields(m)
	if m.Octets > s.maxSize {
		where := fmt.Sprintf("--spam-max-size=%d: a message of %d octets is not shown to the spam scanner", s.maxSize, m.Octets)
		m.Unexamined = append(m.Unexamined, policy.Unexamined{Limit: "spam-max-size", Where: where})
		return change(forged, left, where)
	}
	if m.FieldsDropped {
		m.Unexamined = append(m.Unexamined, policy.Unexamined{
			Limit: "spam-header", Where: fmt.Sprintf("the header section is too long: the spam scanner is shown the first %d fields", len(m.Fields)),
		})
	}
	fields := m.Fields
	scan := s.scan(m)
	return policy.Asks(policy.Network{}).Later(func(ctx context.Context) (policy.Verdict, error) {
		result, err := scan(ctx)
		switch {
		case err != nil:
			return change(forged, left, "what the client wrote itself"), nil // that it failed, the other one says
		case s.monitors && s.judge(result).Objects():
			return policy.Pass, nil // it would have been refused
		}
		edits, more := s.changes(fields, &result.Answer)
		return change(policy.JoinEdits(forged, edits), max(left, more), because(result)), nil
	}).And(policy.Asks(policy.Network{}).Later(func(ctx context.Context) (policy.Verdict, error) {
		result, err := scan(ctx)
		if err != nil {
			return policy.Pass, err
		}
		return s.judge(result).Because("%s", because(result)), nil
	}))
}

// scan has the message judged once, for whoever asks first.
func (s *rule) scan(m *policy.Message) func(context.Context) (spamscan.Result, error) {
	shown, octets := shown(m), m.Octets
	var once sync.Once
	var result spamscan.Result
	var failure error
	return func(ctx context.Context) (spamscan.Result, error) {
		once.Do(func() {
			begun := s.env.Clock()
			defer func() { s.env.TellScan(s.outcome(&result, failure), octets, s.env.Clock().Sub(begun)) }()
			result, failure = s.pool.Scan(ctx, shown)
			if failure == nil && math.IsNaN(result.Score) && !(math.IsNaN(s.rejectAt.score) && math.IsNaN(s.tagAt.score)) {
				failure = fmt.Errorf("%s: its answer has no score", result.By)
			}
		})
		for _, q := range result.Tried {
			trace.Add(ctx, q.Question, q.Answer)
		}
		return result, failure
	}
}

// shown is what the scanner is told. The address of a local submission is ours, and says nothing:
// its name tells the scanner that no network was involved.
func shown(m *policy.Message) *spamscan.Message {
	c := m.Conn
	one := &spamscan.Message{
		Client: c.Client, ClientName: c.ConnectFacts.Name, Helo: m.Helo.Name, Sender: m.MailFacts.Sender, Login: m.Login, QueueID: m.QueueID, MTA: c.MTA,
		TLSVersion: m.Helo.TLS.Version, TLSCipher: m.Helo.TLS.Cipher,
		Open: m.Open,
	}
	if m.FieldsDropped { // a message whose sender makes its header that long is shown all the same
		header := headerText(m.Fields)
		one.Open = func() io.Reader { return io.MultiReader(strings.NewReader(header), m.OpenBody()) }
	}
	switch {
	case c.Local:
		one.Client, one.ClientName = policy.ConnectFacts{}.Client, "localhost"
	case strings.EqualFold(one.ClientName, "unknown"), strings.HasPrefix(one.ClientName, "["): // as MTAs write that there is none
		one.ClientName = ""
	}
	for r := range m.Recipients() {
		one.Recipients = append(one.Recipients, r.RcptFacts.Recipient)
	}
	return one
}

func (s *rule) refuses(a *spamscan.Answer) bool {
	return s.rejectAt.reached(a, a.Action == spamscan.Reject)
}

func (s *rule) tags(a *spamscan.Answer) bool {
	return s.tagAt.reached(a, a.Action == spamscan.Tag || a.Action == spamscan.Reject)
}

// judge says whether an answer refuses the message. An action that is not carried out is noted.
func (s *rule) judge(result spamscan.Result) policy.Verdict {
	switch {
	case s.refuses(&result.Answer):
		return policy.Object(reply, signature(&result.Answer))
	case result.Action == spamscan.Defer:
		return policy.Object(replyLater)
	case result.Action == spamscan.Greylist, result.Action == spamscan.Other, result.Action == spamscan.Reject:
		return policy.Pass.Noted()
	}
	return policy.Pass
}

// headerText is a header section of these fields.
func headerText(fields []policy.Field) string {
	var b strings.Builder
	lines := strings.NewReplacer("\r\n", "\r\n", "\n", "\r\n")
	for _, f := range fields {
		b.WriteString(f.Name + ":" + lines.Replace(f.Text()) + "\r\n")
	}
	b.WriteString("\r\n")
	return b.String()
}

// outcome is what came of a scan, for the metrics.
func (s *rule) outcome(r *spamscan.Result, failure error) string {
	switch {
	case errors.Is(failure, context.Canceled):
		return "abandoned" // refused for something else meanwhile
	case failure != nil:
		return "error"
	case s.refuses(&r.Answer):
		return "spam"
	case r.Action == spamscan.Defer:
		return "deferred"
	case s.tags(&r.Answer):
		return "tagged"
	case r.Action == spamscan.Greylist:
		return "greylisted"
	}
	return "clean"
}

// because tells the administrator who said what.
func because(result spamscan.Result) string {
	text := result.By + " says " + result.Answer.String()
	if result.Text != "" {
		text += "; in its words: " + result.Text
	}
	return text
}

// signature is what the sender reads: the scanner's own words, or the rules that weigh most.
func signature(a *spamscan.Answer) string {
	if text := policy.Clean(a.Text); text != "" {
		return text
	}
	var names []string
	for _, one := range a.Heaviest() {
		if one.Score > 0 && len(names) < 3 {
			names = append(names, one.Name)
		}
	}
	switch {
	case len(names) > 0:
		return strings.Join(names, ", ")
	case !math.IsNaN(a.Score):
		return "spam score " + spamscan.Number(a.Score)
	}
	return "spam"
}
