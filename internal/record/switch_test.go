package record_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"

	"mailweir/internal/policy"
	"mailweir/internal/record"
)

// TestSwitch: while a record is handed over to another process what comes is kept, and then it goes
// there; nothing is lost or comes twice, and whoever looks on there sees it.
func TestSwitch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mine, other := &store{}, newSinking(record.SinkOptions{})
		w := record.NewSwitch(mine)
		s := record.NewSink(w, record.SinkOptions{Log: logrus.New()})
		looks := other.Watch()
		s.Event(event(1))
		time.Sleep(2 * time.Second)
		taken, err := w.Take()
		if err != nil || taken != mine {
			t.Fatalf("%v, %v", taken, err)
		}
		s.Event(event(2))
		s.Change(record.Change{Operation: "a/b"})
		time.Sleep(3 * time.Second)
		if _, err := w.Search(t.Context(), record.Query{}); !errors.Is(err, record.ErrUnavailable) {
			t.Errorf("between: %v", err)
		}
		w.Put(&record.Remote{Call: func(ctx context.Context, method string, in, _ any) error {
			raw, err := json.Marshal(in)
			if err != nil || method != record.MethodImport {
				return errors.Join(err, errors.New(method))
			}
			var sent record.Imported
			if err := json.Unmarshal(raw, &sent); err != nil {
				return err
			}
			return other.Import(ctx, sent)
		}})
		s.Transaction(&policy.Transaction{Session: "abc"})
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		stats := s.Stats()
		if stats.Decisions != 2 || stats.Messages != 1 || stats.Changes != 1 || stats.DroppedDecisions+stats.DroppedMessages+stats.DroppedChanges != 0 {
			t.Errorf("%+v", stats)
		}
		if got := other.store.sizes(); len(mine.sizes()) != 1 || len(got) != 2 || got[0] != 1 || got[1] != 1 || len(other.store.changes) != 1 {
			t.Errorf("commits %v, then %v with %d changes", mine.sizes(), got, len(other.store.changes))
		}
		if seen, _, err := looks.Next(t.Context()); err != nil || len(seen) != 2 || seen[0].Event.ID != event(2).ID || seen[0].Position == 0 || seen[1].Message.Session != "abc" {
			t.Errorf("seen %v, %v", seen, err)
		}
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestSwitchTwice: a process that ends while the one after it hands over as well loses nothing.
func TestSwitchTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		last := &store{}
		between := record.NewSwitch(nil)
		second := record.NewSink(between, record.SinkOptions{Log: logrus.New()})
		first := record.NewSink(&record.Remote{Call: func(ctx context.Context, _ string, in, _ any) error {
			return second.Import(ctx, in.(record.Imported))
		}}, record.SinkOptions{Log: logrus.New()})
		first.Event(event(1))
		closed := make(chan error)
		go func() { closed <- first.Close() }()
		synctest.Wait()
		between.Put(last)
		if err := <-closed; err != nil || first.Stats().DroppedDecisions != 0 {
			t.Errorf("%v, %+v", err, first.Stats())
		}
		if err := second.Close(); err != nil || len(last.sizes()) != 1 {
			t.Errorf("%v, commits %v", err, last.sizes())
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := record.NewSwitch(nil).Write(short, nil, nil); !errors.Is(err, record.ErrUnavailable) {
			t.Errorf("without an end: %v", err)
		}
	})
}

// TestSwitchBusy: a store that does not come to an end stays in its place.
func TestSwitchBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &store{hangs: make(chan struct{})}
		w := record.NewSwitch(slow)
		go func() { _ = w.Write(context.Background(), nil, nil) }()
		synctest.Wait()
		if _, err := w.Take(); err == nil {
			t.Error("taken")
		}
		if err := w.Retain(t.Context(), time.Now()); err != nil {
			t.Error(err)
		}
		close(slow.hangs)
		synctest.Wait()
		if _, err := w.Take(); err != nil {
			t.Error(err)
		}
	})
}

// TestImportRefuses what is no entry.
func TestImportRefuses(t *testing.T) {
	s := newSinking(record.SinkOptions{})
	defer s.Close()
	for _, e := range []record.ImportedEntry{{}, {Event: event(1), Message: &policy.Transaction{}}} {
		if err := s.Import(t.Context(), record.Imported{Entries: []record.ImportedEntry{e}}); err == nil {
			t.Errorf("%+v is taken", e)
		}
	}
}
