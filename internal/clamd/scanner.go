package clamd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mailweir/internal/backend"
)

const (
	// usualThreads is clamd's own default of MaxThreads, for one that does not tell.
	usualThreads = 10
	// usualPing is how long the answer to PING may take.
	usualPing = 5 * time.Second
	// smallest is the least that is sent of a message: what takes less is no use as a scanner.
	smallest = 64 << 10
)

// Options say how a scanner is used. Address, Deadline and MaxSize are needed.
type Options struct {
	Address Address
	// Deadline is how long one scan may take.
	Deadline time.Duration
	// MaxSize is how many octets are sent for a message at most, with the [Front] of them that
	// stand before it.
	MaxSize int64
	// PingWithin is how long one that works may take for an answer to PING; 0 is 5 s.
	PingWithin time.Duration
	// Observer is told how the scanner fares; it may be nil.
	Observer *backend.Observer
}

// Scanner is one clamd. Its methods may be called from any goroutine.
type Scanner struct {
	address Address
	maxSize int64
	within  time.Duration // for an answer to PING
	hangs   time.Duration // how long it says nothing about any message when its threads hang
	watch   *backend.Backend

	limit atomic.Int64 // how much it takes of a message, as far as is known
	told  atomic.Int64 // the limit that has been told of
	// answered is when it last said something about a message, in nanoseconds since 1970.
	answered atomic.Int64
	places   atomic.Pointer[chan struct{}] // one for each of its threads
	asked    sync.Once                     // how many there are

	mu     sync.Mutex
	closed bool
	doubts int             // how many have come since it was found to be there
	ctx    context.Context // ends with Close
	stop   context.CancelFunc
	work   sync.WaitGroup
}

// Result is what came of a scan.
type Result struct {
	Kind Kind
	// Signature is the name of what was found, "" for Clean.
	Signature string
	// Scanner is who says so.
	Scanner string
	// Octets is how many of the message's first octets were scanned; Cut says that it has more.
	Octets int64
	Cut    bool
	// Took is how long it took, with the wait for the scanner.
	Took time.Duration
}

// NewScanner returns a scanner that has not been connected to yet.
func NewScanner(o Options) *Scanner {
	s := &Scanner{address: o.Address, maxSize: o.MaxSize, within: cmp.Or(o.PingWithin, usualPing), hangs: o.Deadline / 2}
	s.limit.Store(o.MaxSize)
	s.told.Store(o.MaxSize)
	s.setThreads(usualThreads)
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.watch = backend.New(o.Observer.Watch(backend.Options{
		Name: s.Name(), Deadline: o.Deadline, Probe: func(ctx context.Context, _ int) error { return s.probe(ctx) },
	}))
	return s
}

// Name is the address as it is configured.
func (s *Scanner) Name() string { return s.address.String() }

// Limit is how many octets of a message the scanner takes, as far as is known: MaxSize, until it
// has refused as many. News says that it is lower than when it was last asked for.
func (s *Scanner) Limit() (limit int64, news bool) {
	limit = s.limit.Load()
	before := s.told.Swap(limit)
	return limit, limit < before
}

// Close ends what is under way beside the scans, and waits for it.
func (s *Scanner) Close() error {
	s.mu.Lock()
	s.closed = true
	s.stop()
	s.mu.Unlock()
	s.work.Wait()
	s.watch.Close()
	return nil
}

// Scan shows it the message that open returns a reader of. It may open it more than once. While the
// scanner is lost, the error is [backend.ErrUnavailable] at once.
func (s *Scanner) Scan(ctx context.Context, open func() io.Reader) (Result, error) {
	if err := s.watch.Lost(0); err != nil {
		return Result{}, err
	}
	s.asked.Do(func() { s.beside(s.askThreads) })
	leave, err := s.enter(ctx)
	if err != nil {
		return Result{}, err
	}
	defer leave()
	begun := time.Now()
	how, v, err := s.stream(ctx, open)
	if err != nil {
		s.blame(ctx, begun, err)
		return Result{}, fmt.Errorf("%s: %w", s.Name(), err)
	}
	s.answered.Store(time.Now().UnixNano())
	return Result{Kind: v.kind, Signature: v.name, Scanner: s.Name(), Octets: how.octets, Cut: how.cut}, nil
}

// stream sends the message, and less of it as often as the scanner says that it is too much.
func (s *Scanner) stream(ctx context.Context, open func() io.Reader) (how sent, v verdict, err error) {
	for {
		limit := s.limit.Load()
		left := s.watch.Bounded(ctx, func(ctx context.Context) error {
			how, v, err = s.address.stream(ctx, open(), limit)
			if errors.Is(err, errSizeLimit) {
				return nil
			}
			return err
		})
		if left != nil {
			err = ended(ctx, left)
		}
		if !errors.Is(err, errSizeLimit) || limit <= smallest {
			return how, v, err
		}
		took := how.octets + int64(len(front)) // about: some of it may never have been read
		s.limit.CompareAndSwap(limit, max(min(took, limit)/2, smallest))
	}
}

// blame says what a failed scan means for the scanner. One that has said nothing about any message
// for long is lost even if it answers PING: its threads hang.
func (s *Scanner) blame(ctx context.Context, begun time.Time, err error) {
	switch {
	case errors.Is(err, ErrMessage) || ctx.Err() == context.Canceled:
	case ctx.Err() != nil && time.Since(begun) >= s.hangs:
		s.suspect(begun, err)
	default:
		s.doubt(err)
	}
}

// suspect takes a scanner for lost that has said nothing about any message since then.
func (s *Scanner) suspect(since time.Time, why error) {
	if s.answered.Load() < since.UnixNano() {
		_ = s.watch.Lose(why, 0)
	} else {
		s.doubt(why)
	}
}

// enter waits for one of the scanner's threads. It returns how to give it back.
func (s *Scanner) enter(ctx context.Context) (leave func(), err error) {
	places := *s.places.Load()
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("%s: no thread of %d was free: %w", s.Name(), cap(places), backend.ErrBusy)
	}
}

// free reports whether a scan would begin at once.
func (s *Scanner) free() bool {
	places := *s.places.Load()
	return len(places) < cap(places)
}

func (s *Scanner) setThreads(n int) {
	if before := s.places.Load(); before == nil || cap(*before) != n {
		places := make(chan struct{}, n)
		s.places.Store(&places)
	}
}

// beside does work in a goroutine that ends with the scanner.
func (s *Scanner) beside(work func(context.Context)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.work.Go(func() { work(s.ctx) })
	}
}

// askThreads finds out how many messages may be scanned at once.
func (s *Scanner) askThreads(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.within)
	defer cancel()
	stats, err := s.address.ask(ctx, "STATS")
	if n := parseThreads(stats); err == nil && n > 0 {
		s.setThreads(n)
	}
}

func (s *Scanner) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.within)
	defer cancel()
	answer, err := s.address.ask(ctx, "PING")
	if err == nil && answer != "PONG" {
		err = &ReplyError{answer}
	}
	return err
}

// probe asks whether a scanner that was lost is back, and scans. It may be another one by now.
func (s *Scanner) probe(ctx context.Context) error {
	if err := s.ping(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.within)
	defer cancel()
	_, _, err := s.address.stream(ctx, strings.NewReader("Subject: probe\r\n\r\n"), s.maxSize)
	if says := (*ReplyError)(nil); err != nil && !errors.As(err, &says) && !errors.Is(err, errSizeLimit) {
		return err
	}
	s.limit.Store(s.maxSize)
	s.beside(s.askThreads)
	return nil
}

// doubt asks a scanner that has failed, or is silent, whether it is there. If not, it is lost.
func (s *Scanner) doubt(why error) {
	s.mu.Lock()
	s.doubts++
	first := s.doubts == 1
	s.mu.Unlock()
	if first {
		s.beside(func(ctx context.Context) { s.settle(ctx, why) })
	}
}

// settle asks until nobody has come to doubt since it asked.
func (s *Scanner) settle(ctx context.Context, why error) {
	for {
		s.mu.Lock()
		doubts := s.doubts
		s.mu.Unlock()
		err := s.ping(ctx)
		if err != nil && ctx.Err() == nil {
			_ = s.watch.Lose(fmt.Errorf("%w; PING: %w", why, err), 0)
		}
		s.mu.Lock()
		done := err != nil || s.doubts == doubts
		if done {
			s.doubts = 0
		}
		s.mu.Unlock()
		if done {
			return
		}
	}
}

// Version asks what runs there, and how many messages it scans at once.
func (s *Scanner) Version(ctx context.Context) (Version, error) {
	s.beside(s.askThreads)
	ctx, cancel := context.WithTimeout(ctx, s.within)
	defer cancel()
	answer, err := s.address.ask(ctx, "VERSION")
	if err != nil {
		return Version{}, err
	}
	return parseVersion(answer, time.Local)
}

// InClear reports whether messages go to another host, readable for whoever is between.
func (s *Scanner) InClear() bool { return s.address.InClear() }
