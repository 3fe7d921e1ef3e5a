package would_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"mailweir/internal/record"
	"mailweir/internal/record/would"
)

// watched counts how often a record is weighed, which takes a while, and may fail.
type watched struct {
	record.Reader
	weighed atomic.Int32

	mu    sync.Mutex
	takes time.Duration
	fails error
}

// will says how the next time goes.
func (w *watched) will(takes time.Duration, fails error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.takes, w.fails = takes, fails
}

func (w *watched) Extent(ctx context.Context) (record.Extent, error) {
	w.weighed.Add(1)
	w.mu.Lock()
	takes, fails := w.takes, w.fails
	w.mu.Unlock()
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		return record.Extent{}, ctx.Err()
	}
	if fails != nil {
		return record.Extent{}, fails
	}
	return w.Reader.Extent(ctx)
}

const wouldNames = "mailweir_would_refusals"

// A scrape shows what was weighed before it and waits for nothing.
func TestMetrics(t *testing.T) {
	h := &history{}
	h.add(mail{at: week - 3*time.Hour, from: "friend@good.example", to: "bob@ours.example", would: "grey"},
		mail{at: week - 2*time.Hour, from: "friend@good.example", to: "bob@ours.example"},
		mail{at: week - time.Hour, from: "nobody@else.example", to: "bob@ours.example", would: "grey"},
		mail{at: week - 26*time.Hour, from: "early@else.example", to: "bob@ours.example", would: "grey"})
	reader := h.inMemory()
	c := would.NewCollector(reader, func() time.Time { return now })
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c)
	if n, err := testutil.GatherAndCount(registry, wouldNames); n != 0 || err != nil {
		t.Errorf("before it is weighed there are %d series, %v", n, err)
	}
	c.Close() // and it has been weighed, or ended
	want := `# HELP mailweir_would_refusals What monitored checks would have refused in the last 24 hours, by what the record says of that mail.
# TYPE mailweir_would_refusals gauge
mailweir_would_refusals{check="grey",judgement="kept_out"} 0
mailweir_would_refusals{check="grey",judgement="likely_good"} 1
mailweir_would_refusals{check="grey",judgement="not_known"} 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), wouldNames); err != nil {
		t.Error(err)
	}
}

// It is weighed once an hour at most, less often where it takes long, and sooner after an error.
func TestMetricsAreWeighedSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader := &watched{Reader: (&history{}).inMemory()}
		c := would.NewCollector(reader, time.Now)
		registry := prometheus.NewRegistry()
		registry.MustRegister(c)
		for _, step := range []struct {
			name  string
			after time.Duration
			takes time.Duration
			fails error
			want  int32 // times that it has been weighed so far
		}{
			{"the first scrape", 0, time.Second, nil, 1},
			{"while it is weighed", 0, time.Second, nil, 1},
			{"half an hour later", 30 * time.Minute, time.Second, nil, 1},
			{"an hour later", 31 * time.Minute, time.Second, errors.New("away"), 2},
			{"a minute after an error", time.Minute, time.Second, nil, 2},
			{"five more minutes", 5 * time.Minute, time.Minute, nil, 3},
			{"an hour after it took a minute", time.Hour, time.Second, nil, 3},
			{"100 minutes after it took a minute", 41 * time.Minute, time.Second, nil, 4},
		} {
			time.Sleep(step.after)
			reader.will(step.takes, step.fails)
			if _, err := registry.Gather(); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got := reader.weighed.Load(); got != step.want {
				t.Errorf("%s: weighed %d times, want %d", step.name, got, step.want)
			}
		}
		time.Sleep(61 * time.Minute)
		reader.will(time.Hour, nil)
		if _, err := registry.Gather(); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		c.Close()
		if took := time.Since(began); took > 0 {
			t.Errorf("the end waits for %v", took)
		}
		if _, err := registry.Gather(); err != nil || reader.weighed.Load() != 5 {
			t.Errorf("after the end: weighed %d times, %v", reader.weighed.Load(), err)
		}
	})
}
