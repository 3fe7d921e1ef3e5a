package dns

import "context"

// Arrival is an answer as it reaches one asker.
type Arrival struct {
	Answer  *Answer
	Expires int64 // Unix nanoseconds; 0 for what is not kept
	Cached  bool
}

// flight is a question on its way. It belongs to the resolver: it lives while someone waits for it.
type flight struct {
	question Question
	key      cacheKey
	ctx      context.Context
	cancel   context.CancelFunc
	waiters  map[*Wait]struct{} // guarded by the shard's lock
}

// Wait is one asker's wait for the answer to a question.
type Wait struct {
	resolver *Resolver
	flight   *flight       // nil: answered from the cache
	deliver  func(Arrival) // must not block
}

// Peek looks into the cache only.
func (r *Resolver) Peek(q Question) (Arrival, bool) {
	if r.opt.Recorded != nil {
		a := r.opt.Recorded(q)
		return Arrival{Answer: &a}, true
	}
	k := r.cache.key(q)
	s := r.cache.shard(k)
	s.mu.Lock()
	e, ok := s.get(k, r.opt.Clock())
	s.mu.Unlock()
	if !ok {
		return Arrival{}, false
	}
	r.stats.hits.Add(1)
	return Arrival{e.answer, e.expires, true}, true
}

// Join is Ask for whoever waits for several answers at once: it delivers the answer at once if it
// is cached, else later from a goroutine of the resolver, unless the asker has left by then.
// deliver must not block.
func (r *Resolver) Join(q Question, deliver func(Arrival)) *Wait { return r.join(q, false, deliver) }

// join is Join; fresh passes over what is cached.
func (r *Resolver) join(q Question, fresh bool, deliver func(Arrival)) *Wait {
	w := &Wait{resolver: r, deliver: deliver}
	if r.opt.Recorded != nil {
		a := r.opt.Recorded(q)
		deliver(Arrival{Answer: &a})
		return w
	}
	k := r.cache.key(q)
	s := r.cache.shard(k)
	s.mu.Lock()
	if e, ok := s.get(k, r.opt.Clock()); ok && !fresh {
		s.mu.Unlock()
		r.stats.hits.Add(1)
		deliver(Arrival{e.answer, e.expires, true})
		return w
	}
	if f, ok := s.flights[k]; ok {
		w.flight = f
		f.waiters[w] = struct{}{}
		s.mu.Unlock()
		r.stats.shared.Add(1)
		return w
	}
	f := &flight{question: q, key: k, waiters: map[*Wait]struct{}{w: {}}}
	f.ctx, f.cancel = context.WithTimeout(r.ctx, r.opt.QuestionTimeout)
	w.flight = f
	s.flights[k] = f
	s.mu.Unlock()
	r.stats.misses.Add(1)
	r.submit(f)
	return w
}

// Flight identifies the question on its way: all who wait for one share it.
func (w *Wait) Flight() any { return w.flight }

// Leave ends the wait; when nobody else waits, the question is cancelled. It reports false if the
// answer has been delivered or is being delivered.
func (w *Wait) Leave() bool {
	f := w.flight
	if f == nil {
		return false
	}
	s := w.resolver.cache.shard(f.key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, waiting := f.waiters[w]; !waiting {
		return false
	}
	delete(f.waiters, w)
	if len(f.waiters) == 0 {
		f.cancel()
		if s.flights[f.key] == f {
			delete(s.flights, f.key)
		}
	}
	return true
}

// GiveUp is Leave because the answer did not come in time, which is counted: if nobody else waits,
// nobody else will.
func (w *Wait) GiveUp() bool { return w.giveUp(Timeout) }

func (w *Wait) giveUp(why Failure) bool {
	left := w.Leave()
	if left {
		w.resolver.stats.count(why)
	}
	return left
}

// HandOver replaces who gets the answer, without giving the question up. False as for Leave.
func (w *Wait) HandOver(deliver func(Arrival)) bool {
	f := w.flight
	if f == nil {
		return false
	}
	s := w.resolver.cache.shard(f.key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, waiting := f.waiters[w]; !waiting {
		return false
	}
	w.deliver = deliver
	return true
}
