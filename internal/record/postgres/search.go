package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/row"
)

const (
	// textWithin is how long a search by text looks, and others that no index serves: then it says
	// how far it came.
	textWithin = 2 * time.Second
	longest    = 10 * time.Second

	// A search looks at an hour first, and then at twice as much each time, up to a day: so the
	// newest come at once, a sort is short, and a search can end in time.
	firstWindow = record.Position(time.Hour/time.Microsecond) << 10
	lastWindow  = 24 * firstWindow
	// unhurried is how long a look may take if the next one is to be at more.
	unhurried = 200 * time.Millisecond

	// pageRows is how many rows are read at once.
	pageRows = 1000
)

var pageSize = strconv.Itoa(pageRows)

// Search walks over the record in order until the page is full. A search by text ends after 2 s,
// any other after 10 s; Page.Reached says how far it came.
func (s *Store) Search(ctx context.Context, q record.Query) (page record.Page, err error) {
	q = q.Normal()
	if nobody(q) {
		return page, nil
	}
	err = s.call(ctx, func(ctx context.Context) error {
		run := searching{Store: s, q: q, selection: selectionOf(q), began: s.options.Clock(), within: longest}
		if q.Text != "" {
			run.within = textWithin
		}
		first, last, err := s.extremes(ctx, q)
		if err == nil && first <= last {
			err = run.walk(ctx, first, last)
		}
		page = run.page
		return err
	})
	if err != nil {
		return record.Page{}, fmt.Errorf("record: %w", err)
	}
	return page, nil
}

// nobody reports whether a query is of somebody who may see nothing.
func nobody(q record.Query) bool {
	return len(q.Own)+len(q.OwnDomains) == 0 && (q.Own != nil || q.OwnDomains != nil)
}

// searching is one search.
type searching struct {
	*Store
	selection
	q      record.Query
	began  time.Time
	within time.Duration
	page   record.Page
}

// extremes are the first and the last position at which there may be what is asked for: a day whose
// entries are all of another time has none.
func (s *Store) extremes(ctx context.Context, q record.Query) (first, last record.Position, err error) {
	var from, to *int64
	if err := s.pool.QueryRow(ctx, `SELECT min(position), max(top) FROM mailweir_days
		WHERE ($1::timestamptz IS NULL OR last >= $1) AND ($2::timestamptz IS NULL OR first <= $2)`, timeOrNull(q.Since), timeOrNull(q.Until)).Scan(&from, &to); err != nil {
		return 0, 0, err
	}
	if from == nil {
		return 0, -1, nil
	}
	first, last = record.Position(*from), record.Position(*to)
	if !q.Since.IsZero() { // no entry is written before its time
		first = max(first, record.PositionAt(q.Since))
	}
	if q.After != 0 {
		first = max(first, q.After+1)
	}
	if q.Before != 0 {
		last = min(last, q.Before-1)
	}
	return first, last, nil
}

// walk looks at one window after the other.
func (r *searching) walk(ctx context.Context, first, last record.Position) error {
	for width := firstWindow; first <= last; {
		// A window begins and ends with a microsecond, so that a time says how far the search came.
		from, to := max(first, (last-width+1)&^(writers-1)), last
		if r.q.Forward {
			from, to = first, min(last, (first+width-1)|(writers-1))
		}
		if r.selective() {
			from, to = first, last
		}
		begun := r.options.Clock()
		if full, err := r.window(ctx, from, to); full || err != nil {
			return err
		}
		if r.q.Forward {
			first = to + 1
		} else {
			last = from - 1
		}
		now := r.options.Clock()
		if now.Sub(begun) < unhurried {
			width = min(2*width, lastWindow)
		}
		if first <= last && now.Sub(r.began) >= r.within {
			r.page.More, r.page.Reached = true, from.Time()
			if r.q.Forward {
				r.page.Reached = first.Time()
			}
			return nil
		}
	}
	return nil
}

// selective reports whether an index gives the entries in order, and only a few besides.
func (r *searching) selective() bool {
	return r.q.Text == "" && (len(r.q.IDs) > 0 || r.keys != "" && r.ordered)
}

// window searches from one position to another, and reports whether the page is full.
func (r *searching) window(ctx context.Context, from, to record.Position) (full bool, err error) {
	for from <= to {
		limit := min(pageRows, r.q.Limit+1-len(r.page.Entries))
		sql, args := r.statement(from, to, r.q.Forward, limit)
		rows, err := r.pool.Query(ctx, sql, args...)
		if err != nil {
			return false, err
		}
		n := 0
		var at record.Position
		for rows.Next() {
			e, p, err := scan(rows)
			n, at = n+1, p
			switch {
			case errors.Is(err, errRow):
				r.options.Warn(err.Error()) // this one only
			case err != nil:
				rows.Close()
				return false, err
			case !r.q.Match(e):
			case len(r.page.Entries) == r.q.Limit:
				r.page.More, full = true, true
			default:
				r.page.Entries = append(r.page.Entries, e)
			}
		}
		if err := rows.Err(); full || n < limit || err != nil {
			return full, err
		}
		if r.q.Forward {
			from = at + 1
		} else {
			to = at - 1
		}
	}
	return false, nil
}

// scan reads one row. An error that is errRow is about this row only.
func scan(rows pgx.Rows) (record.Entry, record.Position, error) {
	var r row.Row
	var client *netip.Addr
	var mode, action, service, rest string
	if err := rows.Scan(&r.Position, &r.Kind, &r.Time, &r.ID, &r.Session, &r.Transaction, &r.Host, &client, &r.Login, &r.Check,
		&mode, &action, &r.Code, &service, &r.Direction, &rest); err != nil {
		return record.Entry{}, 0, err
	}
	r.Time, r.Service, r.Rest = r.Time.UTC(), policy.Service(service), []byte(rest)
	if client != nil {
		r.Client = *client
	}
	if r.Kind == record.Decisions {
		if err := errors.Join(readName(&r.Mode, mode), readName(&r.Action, action)); err != nil {
			return record.Entry{}, r.Position, err
		}
	}
	e, err := r.Decode()
	if err != nil {
		return e, r.Position, rowError(err)
	}
	return e, r.Position, nil
}
