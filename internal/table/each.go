package table

import "errors"

var errNoKeys = errors.New("its entries cannot be taken one by one; want a table of type texthash, list or inline")

// Each calls f for every entry, in the order of the tables and of their lines. An error of f gets
// the entry's place. Tables of patterns, of networks and those that wait have no such entries,
// which is an error.
func (l *List) Each(f func(Match) error) error {
	if l == nil {
		return nil
	}
	for _, t := range l.tables {
		if t.hash == nil {
			return &Error{Place: t.spec, Err: errNoKeys}
		}
		err := t.hash.eachEntry(func(m Match) error {
			if err := f(l.answer(t, m)); err != nil {
				return t.fault(m.Line, err)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
