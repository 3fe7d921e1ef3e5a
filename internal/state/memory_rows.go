package state

import "iter"

// Rows yields everything that the store holds, in no order. Nobody may use it meanwhile.
func (m *Memory) Rows() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		now := m.clock().UnixMilli()
		for _, space := range m.spaces {
			for key, r := range space.rows {
				if r.alive(now) && !yield(r.entry(key)) {
					return
				}
			}
		}
	}
}

// Take takes a row of another store as it is.
func (m *Memory) Take(e Entry) {
	r := row{value: append([]byte{}, e.Value...), entered: e.Entered}
	if !e.Until.IsZero() {
		r.until = e.Until.UnixMilli()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.space(spaceOf(e.Key)).set(e.Key, r, m.clock().UnixMilli())
}
