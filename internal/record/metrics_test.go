package record_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/sirupsen/logrus"

	"mailweir/internal/record"
)

// counting is a store that counts the questions for its extent.
type counting struct {
	record.Store
	asked int
	fails error
}

func (c *counting) Extent(context.Context) (record.Extent, error) {
	c.asked++
	return record.Extent{Entries: int64(c.asked)}, c.fails
}

func (c *counting) Retain(context.Context, time.Time) error { return nil }
func (c *counting) Close() error                            { return nil }

// The store counts its entries once in a while, however often somebody scrapes; an error is no
// answer that is kept.
func TestMetricsAskOnceInAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := logrus.New()
		log.SetOutput(io.Discard)
		store := &counting{fails: errors.New("hangs")}
		sink := record.NewSink(store, record.SinkOptions{Log: log})
		defer sink.Close()
		registry := prometheus.NewRegistry()
		registry.MustRegister(sink.Collector())
		for _, c := range []struct {
			after time.Duration
			fails error
			asked int
			shown int
		}{
			{0, errors.New("hangs"), 1, 0},
			{0, nil, 2, 1},
			{0, nil, 2, 1},
			{14 * time.Second, nil, 2, 1},
			{time.Second, nil, 3, 1},
			{15 * time.Second, errors.New("hangs"), 4, 0},
			{0, nil, 5, 1},
		} {
			time.Sleep(c.after)
			store.fails = c.fails
			shown, err := testutil.GatherAndCount(registry, "mailweir_record_entries")
			if err != nil || shown != c.shown || store.asked != c.asked {
				t.Errorf("%+v: shown %d, asked %d, %v", c, shown, store.asked, err)
			}
		}
	})
}
