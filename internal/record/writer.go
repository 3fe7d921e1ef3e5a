package record

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// run writes until the sink is closed.
func (s *Sink) run() {
	defer close(s.ended)
	ticker := time.NewTicker(commitEvery)
	defer ticker.Stop()
	s.retain()
	retained := s.Clock()
	for {
		select {
		case <-ticker.C:
		case <-s.wake:
		}
		s.mu.Lock()
		closed := s.closed
		s.mu.Unlock()
		s.drain(closed)
		if closed {
			return
		}
		s.tasksNow()
		if now := s.Clock(); now.Sub(retained) >= retainEvery || now.Before(retained) {
			s.retain()
			retained = now
		}
	}
}

// hangsAfter is how long one call of a store takes that heeds no context any more: each has
// writeWithin.
const hangsAfter = 2 * writeWithin

// Moves returns nil if the writer writes or waits for entries, an error if it has been within one
// call of the store for much longer than that may take. Taking out an address is such a call for as
// long as it likes.
func (s *Sink) Moves(context.Context) error {
	began := s.calling.Load()
	if began == nil {
		return nil
	}
	if took := s.Clock().Sub(*began); took > hangsAfter {
		return fmt.Errorf("it has been writing for %v", took.Round(time.Second))
	}
	return nil
}

// call calls the store, which has writeWithin for it.
func (s *Sink) call(call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(s.base, writeWithin)
	defer cancel()
	now := s.Clock()
	s.calling.Store(&now)
	defer s.calling.Store(nil)
	return call(ctx)
}

func (s *Sink) retain() {
	err := s.call(func(ctx context.Context) error { return s.store.Retain(ctx, s.Clock()) })
	if err != nil && !errors.Is(err, ErrUnavailable) {
		s.Log.WithError(err).Error("old entries of the record cannot be taken away")
	}
}

func (s *Sink) tasksNow() {
	s.mu.Lock()
	tasks := s.tasks
	s.tasks = nil
	s.mu.Unlock()
	for _, task := range tasks {
		s.drain(false) // what was taken before comes before it
		task(s.base)
	}
}

// drain writes what has been taken, one commit after the other. Whoever waits for that is told.
func (s *Sink) drain(closing bool) {
	for {
		entries, changes, more := s.batch()
		if len(entries)+len(changes) == 0 {
			break
		}
		if !s.commit(entries, changes, closing) {
			break // it will be tried again
		}
		if !more {
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, over := range s.waiting {
		close(over)
	}
	s.waiting = nil
}

// batch is what goes into the next commit. It stays in the queue until that is over.
func (s *Sink) batch() (entries []Entry, changes []Change, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(len(s.entries), batchEntries)
	return s.entries[:n:n], s.changes[:len(s.changes):len(s.changes)], len(s.entries) > n
}

// commit writes a batch, and reports whether it is over with.
func (s *Sink) commit(entries []Entry, changes []Change, closing bool) bool {
	kept := make([]Entry, len(entries)) // the store gives positions; the queue may be grown meanwhile
	for i, e := range entries {
		kept[i] = s.stripped(e)
	}
	changes = slices.Clone(changes)
	err := s.call(func(ctx context.Context) error { return s.store.Write(ctx, kept, changes) })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Failing = err != nil
	s.held = errors.Is(err, ErrUnavailable) && !closing
	if s.held {
		// Perhaps they have been kept after all: the store knows them by their positions.
		for i := range kept {
			s.entries[i].Position = kept[i].Position
		}
		for i := range changes {
			s.changes[i].Position = changes[i].Position
		}
		return false
	}
	s.forget(len(entries), len(changes))
	if err != nil {
		s.lost(entries, changes)
		s.say("", err)
		return true
	}
	if s.losing && len(s.entries) <= s.Entries/2 { // else the queue is full again at once
		s.losing = false
		s.Log.WithField("dropped", s.stats.DroppedDecisions+s.stats.DroppedMessages+s.stats.DroppedChanges).Info("the record takes entries again")
	}
	s.written(kept, changes)
	return true
}

// written counts what has been kept, and shows it to those who look on. The caller holds mu.
func (s *Sink) written(entries []Entry, changes []Change) {
	for _, e := range entries {
		if e.Event != nil {
			s.stats.Decisions++
		} else {
			s.stats.Messages++
		}
	}
	s.stats.Changes += uint64(len(changes))
	for w := range s.watches {
		w.push(entries)
	}
}

// forget takes a batch out of the queue. The caller holds mu.
func (s *Sink) forget(entries, changes int) {
	for _, e := range s.entries[:entries] {
		s.octets -= e.size()
	}
	s.entries, s.changes = s.entries[entries:], s.changes[changes:]
	if len(s.entries) == 0 {
		s.entries = nil // what it is cut from would keep everything
	}
	if len(s.changes) == 0 {
		s.changes = nil
	}
	s.done += uint64(entries + changes)
}

// stripped is an entry without what is not to be kept.
func (s *Sink) stripped(e Entry) Entry {
	if s.Subjects {
		return e
	}
	if v := e.Event; v != nil && v.From+v.Subject != "" {
		without := *v
		without.From, without.Subject = "", ""
		e.Event = &without
	}
	if m := e.Message; m != nil && m.From+m.Subject != "" {
		without := *m
		without.From, without.Subject = "", ""
		e.Message = &without
	}
	return e
}
