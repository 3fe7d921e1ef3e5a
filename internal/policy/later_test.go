package policy

import (
	"context"
	"errors"
	"testing"
)

// still never waits.
type still struct{}

func (still) Waits() bool { return false }

func TestAsks(t *testing.T) {
	for _, c := range []struct {
		name string
		q    PlainQuestion
		want bool
	}{
		{"nobody", Asks(), false},
		{"memory", Asks(still{}), false},
		{"the network", Asks(Network{}), true},
		{"memory and the network", Asks(still{}, Network{}), true},
		{"the network and memory", Asks(Network{}, still{}), true},
	} {
		v := c.q.Later(func(context.Context) (Verdict, error) { return Pass.Because("asked"), nil })
		if v.Waits() != c.want || v.Objects() || v.Work() == nil {
			t.Errorf("%s: waits is %v: %+v", c.name, v.Waits(), v)
			continue
		}
		if answer, err := v.Work()(t.Context()); err != nil || answer.Cause() != "asked" {
			t.Errorf("%s: %+v, %v", c.name, answer, err)
		}
	}
}

func TestQuestion(t *testing.T) {
	env := new(Common).Env("x", Enforce)
	q, other := NewQuestion[int](env, still{}), NewQuestion[int](env, still{})
	failure := errors.New("no answer")
	ask := func(where Scope, n int, err error) {
		t.Helper()
		v := q.Later(where, func(context.Context) (int, Verdict, error) { return n, Pass, err })
		if _, got := v.Work()(t.Context()); !errors.Is(got, err) {
			t.Errorf("error %v, want %v", got, err)
		}
	}
	asked, failed, never := new(Message), new(Message), new(Message)
	ask(asked, 7, nil)
	ask(failed, 8, failure)
	if n, ok := q.Of(asked); !ok || n != 7 {
		t.Errorf("%d, %v", n, ok)
	}
	for name, m := range map[string]*Message{"failed": failed, "never asked": never} {
		if n, ok := q.Of(m); ok || n != 0 {
			t.Errorf("%s: %d, %v", name, n, ok)
		}
	}
	if n, ok := other.Of(asked); ok {
		t.Errorf("another question has the answer %d", n)
	}
	network := q.PutTo(Network{})
	if n, ok := network.Of(asked); !ok || n != 7 {
		t.Errorf("put to others it has %d, %v", n, ok)
	}
	if !network.Later(asked, nil).Waits() || q.Later(asked, nil).Waits() {
		t.Error("only the one that is put to the network waits")
	}
}
