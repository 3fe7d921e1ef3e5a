package files

import (
	"context"
	"fmt"
	"time"

	"mailweir/internal/record"
)

// Retain unlinks the days that are over since longer than the record goes back, and the oldest ones
// while all of them take too much. Today's stays. It also closes what will not be written to again.
func (s *Store) Retain(_ context.Context, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holder == nil {
		return errReadOnly
	}
	days, err := s.days()
	if err != nil {
		return err
	}
	today := dateOf(max(record.PositionAt(now), s.last))
	var octets int64
	for _, file := range days {
		octets += file.octets()
	}
	for i := len(days) - 1; i >= 0; i-- {
		file := days[i]
		if !file.date.Before(today) {
			break
		}
		old := s.For > 0 && !file.date.AddDate(0, 0, 1).After(now.Add(-s.For))
		if !old && (s.Max <= 0 || octets <= s.Max) {
			s.rest(file, today)
			continue
		}
		octets -= file.octets()
		if err := s.unlink(file); err != nil {
			return err
		}
	}
	return nil
}

// rest closes a day to which sums of yesterday evening no longer come.
func (s *Store) rest(file dayFile, today time.Time) {
	if d := s.writers[file.date]; d != nil && file.date.Before(today.AddDate(0, 0, -1)) {
		s.closeDay(d)
	}
}

func (s *Store) unlink(file dayFile) error {
	s.forget(file)
	if err := file.unlink(); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	return nil
}

// makeRoom takes the oldest day away where the disk is full, and reports whether there was one. The
// newest stays.
func (s *Store) makeRoom() bool {
	days, err := s.days()
	if err != nil || len(days) < 2 {
		return false
	}
	oldest := days[len(days)-1]
	if err := s.unlink(oldest); err != nil {
		return false
	}
	s.warn("the disk is full: the record of %s has made room", oldest.date.Format(dateFormat))
	return true
}
