package state

import (
	"cmp"
	"slices"
)

// memorySpace is the rows of one space in memory.
type memorySpace struct {
	limit   int
	rows    map[string]row
	ends    expiry
	evicted int64
}

func (s *memorySpace) set(key string, r row, now int64) {
	was, ok := s.rows[key]
	s.rows[key] = r
	if !ok || was.until != r.until {
		s.ends.push(key, r.end())
	}
	s.forget(now)
	if len(s.ends) > 2*len(s.rows)+64 {
		s.compact()
	}
}

// compact drops the places in the order of expiry that no longer count.
func (s *memorySpace) compact() {
	clear(s.ends)
	s.ends = s.ends[:0]
	for key, r := range s.rows {
		s.ends = append(s.ends, ending{key, r.end()})
	}
	s.ends.order()
}

// current says that a place still counts: a key that was set again stands in the order of expiry
// more than once.
func (s *memorySpace) current(x ending) (row, bool) {
	r, ok := s.rows[x.key]
	return r, ok && r.end() == x.until
}

// forget drops what has ended, and what ends first while there are too many keys. What a person
// entered only ends.
func (s *memorySpace) forget(now int64) {
	var spared []ending
	for len(s.ends) > 0 {
		r, ok := s.current(s.ends[0])
		if ok && r.alive(now) {
			if len(s.rows) <= s.limit || len(spared) == maxSpared {
				break
			}
			if r.entered {
				spared = append(spared, s.ends.pop())
				continue
			}
			s.evicted++
		}
		if first := s.ends.pop(); ok {
			delete(s.rows, first.key)
		}
	}
	for _, x := range spared {
		s.ends.push(x.key, x.until)
	}
}

// ending returns the keys of living rows that end before that time, soonest first.
func (s *memorySpace) ending(before, now int64) []string {
	var found []ending
	s.ends.before(before, func(x ending) {
		if r, ok := s.current(x); ok && r.until != 0 && r.alive(now) {
			found = append(found, x)
		}
	})
	slices.SortFunc(found, compareEndings)
	found = slices.Compact(found)
	keys := make([]string, len(found))
	for i, x := range found {
		keys[i] = x.key
	}
	return keys
}

func compareEndings(a, b ending) int {
	return cmp.Or(cmp.Compare(a.until, b.until), cmp.Compare(a.key, b.key))
}

func (s *memorySpace) entries(keys []string) []Entry {
	entries := make([]Entry, len(keys))
	for i, key := range keys {
		entries[i] = s.rows[key].entry(key)
	}
	return entries
}
