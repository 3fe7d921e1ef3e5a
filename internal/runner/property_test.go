package runner

import (
	"context"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mailweir/internal/policy"
)

// script draws what hooks say. Hooks that run beside the session share its lock with those on it.
type script struct {
	next chan int
}

// word is a random word of a check: go on, object in some way, fail, panic, or one of these later.
func (sc *script) word(later bool) (policy.Verdict, error) {
	r := reply("x")
	switch sc.draw() {
	case 0:
		return policy.Object(r), nil
	case 1:
		return policy.Object(r).Code(421, "5.7.1").Text("\x00\r\n[%s] ünï " + strings.Repeat("long ", 200)), nil
	case 2:
		return policy.Object(r).Deferred(), nil
	case 3:
		return policy.Object(r).Monitored(), nil
	case 4:
		return policy.Object(&policy.Reply{ID: "x", Code: 554, Enhanced: "5.7.1", Text: "see {what}", Args: []string{"what"}}, "{a}[b]\r\nc"), nil
	case 5:
		return policy.Pass, errors.New("could not tell")
	case 6:
		panic("random")
	case 7, 8:
		if later {
			return policy.Asks(policy.Network{}).Later(func(context.Context) (policy.Verdict, error) { return sc.word(false) }), nil
		}
	}
	return policy.Pass, nil
}

// draw returns a number from what was drawn beforehand, then again from its beginning: rapid's own
// draws belong to the test's goroutine.
func (sc *script) draw() int {
	n := <-sc.next
	sc.next <- n
	return n
}

func (sc *script) hooks() policy.Hooks {
	return policy.Hooks{
		Connect:    func(*policy.Connection) (policy.Verdict, error) { return sc.word(true) },
		Helo:       func(*policy.Connection) (policy.Verdict, error) { return sc.word(true) },
		Mail:       func(*policy.Message) (policy.Verdict, error) { return sc.word(true) },
		Rcpt:       func(*policy.Recipient) (policy.Verdict, error) { return sc.word(true) },
		Header:     func(*policy.Message, policy.Field) { _, _ = sc.word(false) },
		Body:       func(*policy.Message, []byte) { _, _ = sc.word(false) },
		Headers:    func(*policy.Message) (policy.Verdict, error) { return sc.word(true) },
		HeadersFor: func(*policy.Recipient) (policy.Verdict, error) { return sc.word(true) },
		Message:    func(*policy.Message) (policy.Verdict, error) { return sc.word(true) },
		MessageFor: func(*policy.Recipient) (policy.Verdict, error) { return sc.word(true) },
		Grant: func(context.Context, *policy.Recipient) ([]policy.Grant, error) {
			_, err := sc.word(false)
			return []policy.Grant{{By: policy.ExemptAutoAllow, Vouched: err == nil, Source: "x"}}, err
		},
		SettleRecipient: func(context.Context, *policy.Recipient, policy.Outcome) { _, _ = sc.word(false) },
		SettleMessage:   func(context.Context, *policy.Message, policy.Outcome) { _, _ = sc.word(false) },
	}
}

// TestNoSequenceBreaksASession: whatever the MTA sends in whatever order, and whatever the checks
// say, the session does not panic, every reply is well-formed, and nobody is refused where nobody
// may be.
func TestNoSequenceBreaksASession(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		numbers := rapid.SliceOfN(rapid.IntRange(0, 20), 1, 50).Draw(rt, "words")
		sc := &script{next: make(chan int, len(numbers))}
		for _, n := range numbers {
			sc.next <- n
		}
		one := rapid.SampledFrom([]policy.Stage{0, policy.StageHelo, policy.StageMail, policy.StageRcpt}).Draw(rt, "answer at")
		checks := []*policy.Check{
			check("one", sc.hooks(), at(one), fold(policy.AggregateRemove), onError(policy.Delay)),
			check("two", sc.hooks(), fold(rapid.SampledFrom([]policy.Aggregate{policy.AggregateAny, policy.AggregateAll}).Draw(rt, "fold")), bypass(policy.ExemptTrusted|policy.ExemptAutoAllow|policy.ExemptAlwaysAccept)),
		}
		flags := rapid.SampledFrom([]string{
			"", "--mode=monitor", "--mode=defer", "--answer-at=mail", "--enforce-for=inline:{a@ours.example=x}",
			"--one=monitor", "--help-url=https://ours.example/help",
		}).Draw(rt, "flags")
		r := newRig(t, flags, checks...)
		r.seen.id = "mw-12345678"
		// newRig's cleanup comes at the end of the whole test; this case has to end by itself.
		s := r.runner.NewSession()
		reinject := false
		for _, step := range rapid.SliceOfN(rapid.IntRange(0, 13), 1, 40).Draw(rt, "steps") {
			answer := policy.Answer{}
			switch step {
			case 0:
				l := mail()
				l.client = rapid.SampledFrom([]string{"192.0.2.1", "127.0.0.1", ""}).Draw(rt, "client")
				l.door = rapid.SampledFrom([]string{"25", "587", "10026"}).Draw(rt, "door")
				l.noNetwork = rapid.Bool().Draw(rt, "no network")
				reinject = l.door == "10026"
				s.Connect(l.connect())
			case 1:
				answer = s.Helo(policy.HeloFacts{Name: "h"})
			case 2:
				answer = s.Mail(policy.MailFacts{Sender: rapid.SampledFrom([]string{"", "x@else.example", "<\x00"}).Draw(rt, "sender")})
			case 3, 4, 5:
				to := rapid.SampledFrom([]string{"a@ours.example", "b@ours.example", "postmaster", "", "c@else.example"}).Draw(rt, "to")
				answer = s.Rcpt(policy.RcptFacts{Recipient: to, Spelling: to})
			case 6:
				s.RcptRefusedByMTA(policy.RcptFacts{Recipient: "b@ours.example"})
			case 7:
				s.Header(policy.Field{Name: "From", Value: "a@b"}, "id")
			case 8:
				s.EndOfHeaders()
			case 9:
				s.Body([]byte("x"))
			case 10:
				answer = s.EndOfMessage("id")
			case 11:
				s.Abort()
			case 12:
				s.Fault(errors.New("wire"))
			case 13:
				s.Close()
				reinject = false
			}
			wellFormed(rt, answer.Line)
			if answer.Refuses() && (flags == "--mode=monitor" || reinject) {
				rt.Fatalf("refused at step %d: %v", step, answer.Line)
			}
			if answer.Refuses() && flags == "--mode=defer" && answer.Line.Code() >= 500 {
				rt.Fatalf("refused permanently under --mode=defer: %v", answer.Line)
			}
			if len(answer.Edits) > 0 && (answer.Refuses() || flags == "--mode=monitor" || flags == "--mode=defer") {
				rt.Fatalf("edited %v", answer)
			}
		}
		s.Close()
		r.idle()
		if r.seen.opened != r.seen.closed {
			rt.Fatalf("%d connections opened, %d closed", r.seen.opened, r.seen.closed)
		}
		for _, e := range r.seen.list {
			wellFormed(rt, e.Line)
		}
	})
}

// wellFormed holds a line against section 3 of the specification.
func wellFormed(t rapid.TB, l policy.Line) {
	if l.Code() == 0 {
		return
	}
	text := l.String()
	if len(text) > 400 {
		t.Fatalf("%d octets: %q", len(text), text)
	}
	if err := (&policy.Reply{ID: "x", Code: l.Code(), Enhanced: l.Enhanced(), Text: "x"}).Validate(); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	if strings.TrimSpace(l.Text()) == "" {
		t.Fatalf("no text in %q", text)
	}
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			t.Fatalf("octet %#x in %q", text[i], text)
		}
	}
	if n := strings.Count(text, "["); n > 1 || n != strings.Count(text, "]") {
		t.Fatalf("brackets in %q", text)
	}
}
