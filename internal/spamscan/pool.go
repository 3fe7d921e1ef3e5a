package spamscan

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"mailweir/internal/backend"
	"mailweir/internal/trace"
)

// Scanner speaks to one scanner. Its methods may be called from any goroutine.
type Scanner interface {
	// Name is the scanner as it is configured.
	Name() string
	// InClear reports whether messages go to another host, readable for whoever is between.
	InClear() bool
	// Scan has a message judged. An error that is no [AnsweredError] or [ReadError] says that the
	// scanner did not answer as it should.
	Scan(context.Context, *Message) (Answer, error)
	// Ping asks whether it is there, and returns how it calls itself.
	Ping(context.Context) (string, error)
}

// AnsweredError is what a scanner has answered instead of a judgement.
type AnsweredError struct{ Said string }

func (e *AnsweredError) Error() string { return "it answers " + e.Said }

const (
	// Deadline is how long one message may take, with every attempt.
	Deadline = 20 * time.Second
	// attempt is how long one scanner of several may take, so that time is left for another.
	attempt = 10 * time.Second
	// pingTime is how long a scanner that has failed may take to show that it is there.
	pingTime = 2 * time.Second
)

// Pool asks scanners by turn. One that fails is followed by the next. It is taken for lost only if
// it does not answer a ping either: a message that makes a scanner stumble does not switch it off
// for others.
type Pool struct {
	members []member
	turn    atomic.Uint32
}

type member struct {
	Scanner
	backend *backend.Backend
}

// NewPool returns a pool of scanners, each of which gets so many messages at once.
func NewPool(observer *backend.Observer, inFlight int, scanners ...Scanner) *Pool {
	p := new(Pool)
	limit := Deadline
	if len(scanners) > 1 {
		limit = attempt
	}
	for _, s := range scanners {
		p.members = append(p.members, member{s, backend.New(observer.Watch(backend.Options{
			Name: s.Name(), Deadline: limit, InFlight: inFlight, Answered: answered,
			Probe: func(ctx context.Context, _ int) error {
				ctx, cancel := context.WithTimeout(ctx, pingTime)
				defer cancel()
				_, err := s.Ping(ctx)
				return err
			},
		}))})
	}
	return p
}

// Close ends what the pool does beside its callers. Nobody may be asking any more.
func (p *Pool) Close() error {
	for _, m := range p.members {
		m.backend.Close()
	}
	return nil
}

// Result is what a pool found out.
type Result struct {
	Answer
	// By is the scanner that judged.
	By string
	// Tried are the scanners that were asked, and what came of it.
	Tried []trace.Query
}

// Scan has a message judged within [Deadline]. The result of a failure has what was tried.
func (p *Pool) Scan(ctx context.Context, m *Message) (r Result, err error) {
	ctx, cancel := context.WithTimeout(ctx, Deadline)
	defer cancel()
	first := int(p.turn.Add(1) - 1)
	var failed error
	for i := range p.members {
		one := p.members[(first+i)%len(p.members)]
		answer, err := one.scan(ctx, m)
		if err == nil {
			r.Answer, r.By = answer, one.Name()
			r.Tried = append(r.Tried, trace.Query{Question: r.By, Answer: answer.Whole()})
			return r, nil
		}
		r.Tried = append(r.Tried, trace.Query{Question: one.Name(), Answer: err.Error()})
		failed = errors.Join(failed, err)
		var unread *ReadError
		if errors.As(err, &unread) || ctx.Err() != nil {
			break
		}
	}
	return r, failed
}

// scan has one scanner judge a message.
func (m member) scan(ctx context.Context, message *Message) (answer Answer, err error) {
	err = m.backend.Call(ctx, 0, func(call context.Context) error {
		scan, cancel := leaving(call, pingTime)
		defer cancel()
		var failure error
		if answer, failure = m.Scan(scan, message); failure == nil || answered(failure) || ctx.Err() != nil {
			return failure
		}
		if ended := scan.Err(); ended != nil {
			failure = fmt.Errorf("no answer in time: %w", failure)
		}
		return m.blame(call, failure)
	})
	if err != nil && answered(err) {
		err = fmt.Errorf("%s: %w", m.Name(), err)
	}
	return answer, err
}

// leaving is the context without the last part of its time.
func leaving(ctx context.Context, rest time.Duration) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, end.Add(-rest))
}

// blame says whether a failure is the scanner's own: not if it answers a ping.
func (m member) blame(ctx context.Context, failure error) error {
	ctx, cancel := context.WithTimeout(ctx, pingTime)
	defer cancel()
	if _, err := m.Ping(ctx); err != nil {
		return failure
	}
	return &messageError{failure}
}

// messageError is a failure of a scanner that is there: it has to do with the message.
type messageError struct{ err error }

func (e *messageError) Error() string {
	return e.err.Error() + "; but it answers a ping"
}
func (e *messageError) Unwrap() error { return e.err }

// answered reports errors by which no scanner is lost.
func answered(err error) bool {
	var (
		own     *messageError
		said    *AnsweredError
		reading *ReadError
	)
	return errors.As(err, &own) || errors.As(err, &said) || errors.As(err, &reading)
}
