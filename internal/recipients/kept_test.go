package recipients

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"mailweir/internal/address"
	"mailweir/internal/state"
)

// A domain of many answers is forgotten whole, and another one not at all.
func TestForgetMany(t *testing.T) {
	for _, many := range []int{1, page - 1, page, page + 1, 2*page + 1} {
		c := new(clock)
		store := state.NewMemory(c.now, 10_000)
		value := Answer{At: c.now()}.value()
		var steps []state.Step
		for i := range many {
			steps = append(steps, state.Put(key{source: source}.in(address.Parse(fmt.Sprintf("u%d@ours.example", i))), value, NoFor))
		}
		steps = append(steps, state.Put(key{source: source}.in(address.Parse("u@zzz.example")), value, NoFor))
		if _, err := store.Do(t.Context(), steps...); err != nil {
			t.Fatal(err)
		}
		if n, err := Forget(t.Context(), store, address.Address{Domain: "ours.example"}, "+", c.now()); n != many || err != nil {
			t.Errorf("%d forgotten, %v; want %d", n, err, many)
		}
		left, err := store.List(t.Context(), state.Prefix(space), "", 10)
		if err != nil || len(left) != 1 {
			t.Errorf("%d left, %v", len(left), err)
		}
	}
}

// A local part so long that its key holds a digest may be the one that is meant.
func TestForgetLong(t *testing.T) {
	c := new(clock)
	store := state.NewMemory(c.now, 100)
	long := address.Parse(strings.Repeat("x", 2000) + "@ours.example")
	for to, want := range map[string]int{"bob@ours.example": 1, strings.Repeat("x", 2000) + "@ours.example": 1, "bob@far.example": 0} {
		if _, err := store.Do(t.Context(), state.Put(key{source: source}.in(long), Answer{At: c.now()}.value(), NoFor)); err != nil {
			t.Fatal(err)
		}
		if n, err := Forget(t.Context(), store, address.Parse(to), "+", c.now()); n != want || err != nil {
			t.Errorf("%d forgotten, %v; want %d", n, err, want)
		}
	}
}

// racing is a store in which somebody forgets bob just before an answer about him is written.
type racing struct {
	state.Store
	forget func()
}

func (r *racing) Do(ctx context.Context, steps ...state.Step) ([]state.Result, error) {
	if len(steps) == 2 && r.forget != nil {
		r.forget()
	}
	return r.Store.Do(ctx, steps...)
}

func TestForgetWhileWriting(t *testing.T) {
	c, s := new(clock), newServer()
	store := state.NewMemory(c.now, 100)
	a := open(t, &racing{store, func() {
		if _, err := Forget(t.Context(), store, bob, "+", c.now()); err != nil {
			t.Error(err)
		}
	}}, c)
	ask(t, a, s, bob, false)
	if _, found, err := a.Kept(t.Context(), source, bob); found || err != nil {
		t.Errorf("kept: %t, %v", found, err)
	}
	if _, ok := a.Known(source, bob.Key()); ok {
		t.Error("in memory all the same")
	}
}

func TestClean(t *testing.T) {
	for said, want := range map[string]string{
		"250 2.1.5 ~ !ok~":               "250 2.1.5 ~ !ok~",
		" \r\n550\x00no\x7fsuch é user ": "550 no such user",
		strings.Repeat("x", mostSaid):    strings.Repeat("x", mostSaid),
		strings.Repeat("x", mostSaid+1):  strings.Repeat("x", mostSaid),
	} {
		if got := clean(said); got != want {
			t.Errorf("%q becomes %q, want %q", said, got, want)
		}
	}
}

// What stands in the state and is none of ours is no answer.
func TestRead(t *testing.T) {
	for _, value := range []string{"", "yes", "yes x", "maybe 1700000000000 x", "1700000000000"} {
		if a, ok := read([]byte(value)); ok {
			t.Errorf("%q: %+v", value, a)
		}
	}
	want := Answer{Exists: true, At: start.Truncate(1e6), Said: "250 2.1.5 Ok"}
	if got, ok := read(want.value()); !ok || got.Exists != want.Exists || !got.At.Equal(want.At) || got.Said != want.Said {
		t.Errorf("%+v, want %+v", got, want)
	}
}
