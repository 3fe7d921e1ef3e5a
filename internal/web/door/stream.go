package door

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// Limits of what goes on. A stream looks now and then whether its visitor may still see it, and
// gives a client that takes nothing up.
const (
	maxStreams    = 64
	maxOwnStreams = 8
	lookAgain     = 5 * time.Second
	takesWithin   = 10 * time.Second
)

// streams bounds how many go on at once, in all and of one visitor.
type streams struct {
	mu   sync.Mutex
	all  int
	each map[string]int
}

func newStreams() *streams { return &streams{each: map[string]int{}} }

func (s *streams) enter(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all >= maxStreams || s.each[name] >= maxOwnStreams {
		return false
	}
	s.all++
	s.each[name]++
	return true
}

func (s *streams) leave(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.each[name]--; s.each[name] == 0 {
		delete(s.each, name)
	}
}

// stream answers for as long as the visitor may see it, and the server runs.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, who *visitor, handle Handler) {
	if !s.streams.enter(who.Name) {
		s.refuse(w, r, who, http.StatusServiceUnavailable, "too many pages follow already; close some of them")
		return
	}
	defer s.streams.leave(who.Name)
	ctx, cancel := context.WithCancel(r.Context())
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel()
	defer context.AfterFunc(s.ending, cancel)()
	watching.Go(func() {
		ticker := time.NewTicker(s.lookEach)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				if !s.still(r, who) {
					cancel()
					return
				}
			}
		}
	})
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{})
	_ = control.SetWriteDeadline(time.Time{})
	handle(&streamed{w, control}, r.WithContext(ctx), who.Person)
	_ = control.SetWriteDeadline(time.Now().Add(takesWithin)) // for what is still to be written
}

// streamed gives every write a deadline of its own, and takes it back: one that passes between two
// writes ends a stream of HTTP/2, though nobody waits.
type streamed struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (s *streamed) Write(p []byte) (int, error) {
	_ = s.control.SetWriteDeadline(time.Now().Add(takesWithin))
	defer s.unlimited()
	return s.ResponseWriter.Write(p)
}

func (s *streamed) unlimited() { _ = s.control.SetWriteDeadline(time.Time{}) }

// Flush is what [http.Flusher] wants.
func (s *streamed) Flush() { _ = s.FlushError() }

// FlushError is what [http.ResponseController] wants.
func (s *streamed) FlushError() error {
	_ = s.control.SetWriteDeadline(time.Now().Add(takesWithin))
	defer s.unlimited()
	return s.control.Flush()
}
