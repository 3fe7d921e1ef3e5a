// Package load turns connections away while mailweir itself is overloaded: by connections, memory,
// or the time that work waits for a processor. It also bounds how many messages are examined at
// once. What it measures is this process's alone.
package load

import (
	"context"
	"math"
	"runtime/metrics"
	"sync"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/trace"
)

// Check turns connections away while mailweir itself is overloaded.
var Check = &policy.Check{
	Name:  "load",
	Title: "connections beyond what mailweir can serve",
	Page:  "overload",
	Help: `At HELO, once a connection, mailweir looks at itself: more than ` + "`--load-sessions`" + ` connections, more memory in use than
` + "`--load-memory`" + `, or, with ` + "`--load-queue`" + `, work of its own that waits longer for a processor than that (the 99th percentile over
the last ten seconds). The answer is a 421, which ends the connection; the client comes back. It ends by itself when the load does.

Trusted clients and the service submission come last: they are served up to a quarter above each limit. Waiting for a backend is
no load: a dead one never leads here.

` + "`--load-scans`" + ` limits how many messages are examined at once at their end, where all has arrived. A message beyond it waits
up to 20 s for a place, and is then deferred.`,
	Mode:     policy.Enforce,
	Proof:    policy.FirstDay("it only puts off mail while this host has too much to do"),
	AnswerAt: policy.StageHelo,
	Replies:  []*policy.Reply{reply},
	Setup: func(f *policy.Flags) policy.Build {
		sessions := f.Int("sessions", 1000, "connections at once, 0 for no limit")
		memory := f.Size("memory", 0, "memory in use, 0 for no limit")
		scans := f.Int("scans", 0, "messages that are examined at once, 0 for no limit")
		queue := f.Duration("queue", 0, "time that work may wait for a processor, 0 for off")
		return func(env *policy.Env) (policy.Hooks, error) {
			if *sessions == 0 && *memory == 0 && *queue == 0 && *scans == 0 {
				return policy.Hooks{Off: "--load-sessions=0, no --load-memory, no --load-queue and no --load-scans"}, nil
			}
			l := &rule{env: env, sessions: *sessions, memory: int64(*memory), queue: *queue, seen: policy.NewSlot[bool](env)}
			hooks := policy.Hooks{Helo: l.judge}
			if *scans > 0 && !env.Recorded {
				hooks.Admit = admit(*scans)
			}
			return hooks, nil
		}
	},
}

// reserve is what trusted clients have above each limit.
const reserve = 1.25

type rule struct {
	env      *policy.Env
	sessions int
	memory   int64
	queue    time.Duration
	seen     policy.Slot[bool]
	waits    waits
}

func (l *rule) judge(c *policy.Connection) (policy.Verdict, error) {
	seen := l.seen.Of(c)
	if *seen || c.Local {
		return policy.Pass, nil
	}
	*seen = true
	if l.env.Recorded {
		return policy.Pass, trace.ErrNotRecorded
	}
	room := 1.0
	if c.Trusted() || c.Service == policy.Submission {
		room = reserve
	}
	refusal := policy.Object(reply)
	if n := l.env.Connections(); l.sessions > 0 && float64(n) > room*float64(l.sessions) {
		return refusal.Because("%d connections, limit %d", n, l.sessions), nil
	}
	if l.memory > 0 {
		if used := memoryInUse(); float64(used) > room*float64(l.memory) {
			limit := policy.Size(l.memory)
			return refusal.Because("%d octets of memory in use, limit %s", used, &limit), nil
		}
	}
	if l.queue > 0 {
		if wait := l.waits.recent(l.env.Clock()); wait > time.Duration(room*float64(l.queue)) {
			return refusal.Because("work waits %s for a processor, limit %s", wait, l.queue), nil
		}
	}
	return policy.Pass, nil
}

// admitWithin is how long a message waits for a place.
const admitWithin = 20 * time.Second

// admit gives places to so many messages at once.
func admit(scans int) func(context.Context) func() {
	places := make(chan struct{}, scans)
	return func(ctx context.Context) func() {
		ctx, cancel := context.WithTimeout(ctx, admitWithin)
		defer cancel()
		return policy.AdmitWithin(ctx, places)
	}
}

// memoryInUse is the memory that the process has from the system and has not given back.
func memoryInUse() uint64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}

// waits tells how long work has waited for a processor lately, from the histogram that the Go
// runtime keeps since its start.
type waits struct {
	mu      sync.Mutex
	counts  []uint64 // of the histogram when the span began
	began   time.Time
	longest time.Duration // of the span before
}

// span is how long a look at the histogram counts.
const span = 10 * time.Second

// recent is the 99th percentile over the last one to two spans.
func (w *waits) recent(now time.Time) time.Duration {
	sample := []metrics.Sample{{Name: "/sched/latencies:seconds"}}
	metrics.Read(sample)
	h := sample[0].Value.Float64Histogram()
	w.mu.Lock()
	defer w.mu.Unlock()
	current := percentile(h.Buckets, h.Counts, w.counts)
	if now.Sub(w.began) < span {
		return max(current, w.longest)
	}
	if now.Sub(w.began) >= 2*span {
		current = 0 // the span is too old to say anything about now
	}
	w.longest, w.began, w.counts = current, now, append(w.counts[:0], h.Counts...)
	return w.longest
}

// percentile is the value below which 99 of 100 events lie that have come since before.
func percentile(buckets []float64, counts, before []uint64) time.Duration {
	since := func(i int) uint64 {
		if i < len(before) {
			return counts[i] - before[i]
		}
		return counts[i]
	}
	var total, sum uint64
	for i := range counts {
		total += since(i)
	}
	if total == 0 {
		return 0
	}
	for i := range counts {
		sum += since(i)
		if sum*100 >= total*99 {
			upper := buckets[i+1]
			if math.IsInf(upper, 1) {
				upper = buckets[i]
			}
			return time.Duration(upper * float64(time.Second))
		}
	}
	return 0
}

var reply = &policy.Reply{
	ID: "load", Row: "T2", Code: 421, Enhanced: "4.3.2", Text: "Unable to process connection at this time",
	Description: "mailweir serves as many connections, or uses as much memory, as it is allowed to.",
	Resolution:  "Nothing for the sender: the mail is tried again. If it happens often, the administrator raises the limit that the event names, or looks for a flood.",
	Advice:      "Your mail server tries again by itself, so you need not do anything.",
	Lifts: []policy.Lift{
		{Says: "Nothing need be done: it passes as soon as there is room again."},
		{Setting: "load-sessions", Says: "Raises the limit of connections, where the cause names that one."},
	},
}
