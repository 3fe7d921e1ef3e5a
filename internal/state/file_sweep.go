package state

// due says that the space has something to sweep.
func (w *writing) due(space string) (bool, error) {
	ends := endsOf(w.tx, space)
	if ends == nil {
		return false, nil
	}
	if w.over(space) > 0 {
		return true, nil
	}
	raw, _ := ends.Cursor().First()
	if raw == nil {
		return false, nil
	}
	first, err := decodeEnd(space, raw)
	return first.until <= w.now, err
}

// over is how many rows the space has beyond its bound.
func (w *writing) over(space string) int64 {
	return w.spaces[space].Rows - int64(w.limit)
}

// sweep looks at no more than budget places, from those that end first, in each space: it removes
// what has ended, moves the places of what was renewed, and evicts while there are too many rows.
func (w *writing) sweep(budget int) error {
	for space := range w.spaces {
		due, err := w.due(space)
		if err != nil {
			return err
		}
		if !due {
			continue
		}
		places, err := w.first(space, budget)
		if err != nil {
			return err
		}
		for _, x := range places {
			if err := w.visit(space, x); err != nil {
				return err
			}
		}
	}
	return nil
}

// first returns the places to visit: all that are past, and as many more as there are rows too
// many, with some to spare for those that turn out to have been renewed or entered.
func (w *writing) first(space string, budget int) ([]ending, error) {
	var places []ending
	more := 2*w.over(space) + maxSpared
	c := endsOf(w.tx, space).Cursor()
	for raw, _ := c.First(); raw != nil && len(places) < budget; raw, _ = c.Next() {
		x, err := decodeEnd(space, raw)
		if err != nil {
			return nil, err
		}
		if x.until > w.now {
			if more--; more < 0 || w.over(space) <= 0 {
				break
			}
		}
		places = append(places, x)
	}
	return places, nil
}

func (w *writing) visit(space string, x ending) error {
	rows, ends, err := w.buckets(space)
	if err != nil {
		return err
	}
	raw := rows.Get(inner(space, x.key))
	if raw == nil {
		return ends.Delete(encodeEnd(space, x))
	}
	r, err := decodeRow(raw)
	if err != nil {
		return err
	}
	ended := !r.alive(w.now)
	if !ended && r.end() != x.until {
		if err := ends.Delete(encodeEnd(space, x)); err != nil {
			return err
		}
		return ends.Put(encodeEnd(space, ending{x.key, r.end()}), nil)
	}
	if !ended && (r.entered || w.over(space) <= 0) {
		return nil
	}
	count := w.spaces[space]
	count.Rows--
	if !ended {
		count.Evicted++
	}
	w.spaces[space] = count
	if err := rows.Delete(inner(space, x.key)); err != nil {
		return err
	}
	return ends.Delete(encodeEnd(space, x))
}
