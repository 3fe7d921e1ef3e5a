package policy

import "context"

// Waiter is what a question is put to. Waits reports whether it may take waiting for: a network or
// another process does, memory and the embedded store do not.
type Waiter interface {
	Waits() bool
}

// Network is the [Waiter] for whatever is asked over the network, such as the DNS.
type Network struct{}

// Waits is true.
func (Network) Waits() bool { return true }

// PlainQuestion is a question of a check whose answer is only a verdict.
type PlainQuestion struct{ waits bool }

// Asks returns the question that is put to these. They tell the runner how to run it: where none
// waits, at once on the session's path; else beside the session, and where the answer can only be
// recorded, after the reply.
func Asks(these ...Waiter) (q PlainQuestion) {
	for _, one := range these {
		q.waits = q.waits || one.Waits()
	}
	return q
}

// Later says that the judgement takes this question. At the deadline the check's on-error decides.
// f must not read what the session still writes: capture facts by value. It may return another
// Later, which is put to somebody else, but no second judgement; see [Verdict.And].
func (q PlainQuestion) Later(f func(context.Context) (Verdict, error)) Verdict {
	return Verdict{waits: q.waits, later: f}
}

// Question is a question of a check whose answer has a T, which learning reads. Make one in Build.
type Question[T any] struct {
	plain  PlainQuestion
	index  int
	common *Common
}

// NewQuestion returns a question that is put to these; see [Asks].
func NewQuestion[T any](env *Env, these ...Waiter) Question[T] {
	slot := NewSlot[T](env)
	return Question[T]{Asks(these...), slot.index, slot.common}
}

// PutTo returns the same question, put to these.
func (q Question[T]) PutTo(these ...Waiter) Question[T] {
	return Question[T]{Asks(these...), q.index, q.common}
}

// Later says that the judgement on a scope takes the question; see [PlainQuestion.Later]. The T is
// kept in the scope, unless f fails.
func (q Question[T]) Later(where Scope, f func(context.Context) (T, Verdict, error)) Verdict {
	return q.plain.Later(func(ctx context.Context) (Verdict, error) {
		t, v, err := f(ctx)
		if err == nil {
			s := where.base()
			s.mu.Lock()
			*s.slot(q.index, q.common) = &t
			s.mu.Unlock()
		}
		return v, err
	})
}

// Of returns what was found out for a scope; false where nobody has asked, or it could not be told.
func (q Question[T]) Of(where Scope) (t T, ok bool) {
	s := where.base()
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := (*s.slot(q.index, q.common)).(*T)
	if ok {
		t = *found
	}
	return t, ok
}
