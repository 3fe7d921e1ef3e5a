package door

import (
	"sync"
	"time"
)

// told is when trouble was told of last: each request of each browser meets it.
type told struct {
	mu   sync.Mutex
	last time.Time
}

func (s *Server) trouble(err error) {
	s.told.mu.Lock()
	defer s.told.mu.Unlock()
	if now := s.Clock(); now.Sub(s.told.last) >= time.Minute {
		s.told.last = now
		s.Trouble(err)
	}
}
