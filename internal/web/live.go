package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/record"
)

// live sends the rows of a list as they are written (text/event-stream), for as long as somebody
// looks.
func (p *Pages) live(w http.ResponseWriter, r *http.Request, v policy.Person) {
	q, wrong := queryOf(readFilter(r.URL.Query()), p.checkNames(), p.Clock())
	if p.Record == nil || p.Watch == nil || len(wrong) > 0 {
		http.Error(w, "there is nothing to follow", http.StatusBadRequest)
		return
	}
	q = within(v, q).Normal()
	watch := p.Watch()
	defer watch.Close()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // a proxy is to pass each row on at once
	out := http.NewResponseController(w)
	if _, err := fmt.Fprint(w, "retry: 5000\n\n"); err != nil || out.Flush() != nil {
		return
	}
	for {
		entries, lost, err := nextRows(r.Context(), watch)
		if err != nil {
			return
		}
		if p.sendRows(w, v, q, entries, lost) != nil || out.Flush() != nil {
			return
		}
	}
}

// quiet is how long nothing is sent at most.
const quiet = 20 * time.Second

// nextRows waits for entries, and returns without any when it has been quiet for long.
func nextRows(ctx context.Context, watch *record.Watch) ([]record.Entry, int, error) {
	waiting, cancel := context.WithTimeout(ctx, quiet)
	defer cancel()
	entries, lost, err := watch.Next(waiting)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = nil
	}
	return entries, lost, err
}

// sendRows sends those entries that the query wants.
func (p *Pages) sendRows(w http.ResponseWriter, v policy.Person, q record.Query, entries []record.Entry, lost int) error {
	if len(entries) == 0 { // so that it is seen when nobody is there any longer
		_, err := fmt.Fprint(w, ":\n\n")
		return err
	}
	if lost > 0 {
		if _, err := fmt.Fprintf(w, "event: missed\ndata: %d\n\n", lost); err != nil {
			return err
		}
	}
	for _, e := range entries {
		if !q.Match(e) {
			continue
		}
		if v.Remit != nil { // as in a list, others' words find nothing
			if e = (scoped{by: v, delimiter: p.delimiter()}).own(e); !q.Match(e) {
				continue
			}
		}
		data, err := json.Marshal(rowOf(e).Live()) // one line: JSON escapes line ends
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "event: row\ndata: %s\n\n", data); err != nil {
			return err
		}
	}
	return nil
}
