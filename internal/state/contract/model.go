package contract

import (
	"bytes"
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"mailweir/internal/state"
)

// The model says in the plainest way what steps do: a map of entries, and for tallies a list of all
// that was counted.

type modelRow struct {
	value   string
	until   time.Time
	counted []counted
}

type counted struct {
	at time.Time
	n  int64
}

type model struct {
	rows  map[string]*modelRow
	clock *Clock
}

const modelSpan = 10 * time.Second

// part is the part of the span in which a time lies.
func part(at time.Time) int64 { return at.UnixMilli() / (modelSpan / 5).Milliseconds() }

func (m *model) find(key string) *modelRow {
	row := m.rows[key]
	if row != nil && !row.until.IsZero() && !m.clock.Now().Before(row.until) {
		delete(m.rows, key)
		return nil
	}
	return row
}

func (m *model) end(life time.Duration) (end time.Time) {
	if life > 0 {
		end = m.clock.Now().Add(life)
	}
	return end
}

func (m *model) set(key, value string, life time.Duration) {
	m.rows[key] = &modelRow{value: value, until: m.end(life)}
}

func (m *model) sum(row *modelRow) (n int64) {
	if row == nil {
		return 0
	}
	for _, c := range row.counted {
		if part(c.at) >= part(m.clock.Now())-5 {
			n += c.n
		}
	}
	return n
}

// asModel does random steps, several a call, here and in the model.
func asModel(t *testing.T, r *run) {
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		m := &model{rows: map[string]*modelRow{}, clock: r.clock}
		for range rapid.IntRange(1, 20).Draw(t, "calls") {
			var steps []state.Step
			var wants []func(state.Result) string
			add := func(step state.Step, want func(state.Result) string) {
				steps, wants = append(steps, step), append(wants, want)
			}
			for range rapid.IntRange(1, 4).Draw(t, "steps") {
				add(m.draw(t, n))
			}
			add(m.drawUpdate(t, state.Key("m", fmt.Sprint(n), "u"))) // the last on its key in its call
			results, err := r.Do(r.t.Context(), steps...)
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range wants {
				if wrong := want(results[i]); wrong != "" {
					t.Errorf("step %d: %+v, want %s", i, results[i], wrong)
				}
			}
			r.clock.Move(time.Duration(rapid.IntRange(0, 8000).Draw(t, "ms")) * time.Millisecond)
		}
	})
}

// draw returns a step and what is wrong with its result, in the order of the steps.
func (m *model) draw(t *rapid.T, n int) (state.Step, func(state.Result) string) {
	key := func(kind string) string {
		return state.Key("m", fmt.Sprint(n), kind, rapid.SampledFrom([]string{"a", "b"}).Draw(t, "key"))
	}
	life := time.Duration(rapid.IntRange(0, 20).Draw(t, "life")) * time.Second
	value := rapid.SampledFrom([]string{"", "x", "yy"}).Draw(t, "value")
	switch kind := rapid.IntRange(0, 7).Draw(t, "kind"); kind {
	case 0:
		k := key("v")
		return state.Get(k), m.on(k, func(row *modelRow) bool { return row != nil })
	case 1:
		k := key("v")
		return state.Put(k, []byte(value), life), m.on(k, func(*modelRow) bool { m.set(k, value, life); return true })
	case 2:
		k := key("v")
		return state.Delete(k), m.on(k, func(row *modelRow) bool { delete(m.rows, k); return row != nil })
	case 3:
		k := key("v")
		old := rapid.SampledFrom([]string{"none", "", "x", "yy"}).Draw(t, "old")
		was := []byte(old)
		if old == "none" {
			was = nil
		}
		return state.Swap(k, was, []byte(value), life), m.on(k, func(row *modelRow) bool {
			if (row == nil) != (was == nil) || row != nil && row.value != old {
				return false
			}
			m.set(k, value, life)
			return true
		})
	case 4:
		k := key("v")
		return state.Touch(k, life), m.on(k, func(row *modelRow) bool {
			if row != nil {
				row.until = m.end(life)
			}
			return row != nil
		})
	case 5:
		k := key("v")
		slack := time.Duration(rapid.IntRange(0, 5).Draw(t, "slack")) * time.Second
		return state.Renew(k, []byte(value), life, slack), m.on(k, func(row *modelRow) bool {
			switch {
			case row == nil:
				m.set(k, value, life)
			case row.until.IsZero(), life > 0 && row.until.Add(slack).After(m.end(life)):
				return false
			default:
				row.until = m.end(life)
			}
			return true
		})
	default:
		return m.drawTally(t, key("t"))
	}
}

// on is a step on a value: what is found must be what was there.
func (m *model) on(key string, do func(*modelRow) bool) func(state.Result) string {
	return func(got state.Result) string {
		row := m.find(key)
		want := state.Result{Found: row != nil}
		if row != nil {
			want.Value, want.Until = []byte(row.value), row.until
		}
		want.Done = do(row)
		if got.Done != want.Done || got.Found != want.Found || !bytes.Equal(got.Value, want.Value) || !got.Until.Equal(want.Until) {
			return fmt.Sprintf("%+v", want)
		}
		return ""
	}
}

// drawUpdate is an update with a hint that is right or not.
func (m *model) drawUpdate(t *rapid.T, key string) (state.Step, func(state.Result) string) {
	life := time.Duration(rapid.IntRange(0, 20).Draw(t, "life")) * time.Second
	value := rapid.SampledFrom([]string{"", "x", "yy"}).Draw(t, "value")
	var hint state.Result
	if row := m.find(key); row != nil && rapid.Bool().Draw(t, "hinted") {
		hint = state.Result{Found: true, Value: []byte(row.value)}
	}
	change := func(was state.Result) ([]byte, time.Duration) {
		if len(was.Value) > 4 || value == "" && was.Found {
			return nil, 0
		}
		return append(was.Value, value...), life
	}
	return state.Update(key, hint, change), m.on(key, func(row *modelRow) bool {
		was := state.Result{Found: row != nil}
		if row != nil {
			was.Value = []byte(row.value)
		}
		next, life := change(was)
		if next != nil {
			m.set(key, string(next), life)
		}
		return next != nil
	})
}

func (m *model) drawTally(t *rapid.T, key string) (state.Step, func(state.Result) string) {
	n := int64(rapid.IntRange(-3, 5).Draw(t, "n"))
	limit := rapid.SampledFrom([]int64{0, 4, 20, math.MaxInt64}).Draw(t, "limit")
	at := m.clock.Now().Add(-time.Duration(rapid.IntRange(0, 14).Draw(t, "ago")) * time.Second)
	return state.Tally(key, n, limit, modelSpan).At(at), func(got state.Result) string {
		row := m.find(key)
		sum := m.sum(row)
		done := sum <= limit-max(n, 0)
		switch {
		case n < 0:
			taken := m.takeOff(row, at, -n)
			done, sum = taken > 0, sum-taken
		case done && n > 0:
			if row == nil {
				row = &modelRow{}
				m.rows[key] = row
			}
			row.until = m.end(modelSpan / 5 * 6)
			row.counted = append(row.counted, counted{at, n})
			sum = m.sum(row)
		}
		if got.Done != done || got.N != sum {
			return fmt.Sprintf("done %v, sum %d", done, sum)
		}
		return ""
	}
}

func (m *model) takeOff(row *modelRow, at time.Time, n int64) (taken int64) {
	if row == nil || part(at) < part(m.clock.Now())-5 {
		return 0
	}
	for i, c := range row.counted {
		if part(c.at) == part(at) {
			took := min(c.n, n-taken)
			row.counted[i].n -= took
			taken += took
		}
	}
	return taken
}
