package files

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/row"
)

const (
	// textWithin is how long a search by text looks, longest how long any other that no index
	// serves: then it says how far it came.
	textWithin = 2 * time.Second
	longest    = 10 * time.Second
	// window is how much time such a search looks at in one piece, where a day has more than a few
	// entries.
	window     = time.Hour
	fewEntries = 20_000
	// answerWithin bounds what one piece may take, so that no reader holds the log of a file open.
	answerWithin = 30 * time.Second
)

// Search goes through the days in order until the page is full. A search by text ends after 2 s,
// any other after 10 s, sooner or later: by an index it looks at whole days. It says how far it
// came in Page.Reached.
func (s *Store) Search(ctx context.Context, q record.Query) (record.Page, error) {
	q = q.Normal()
	if q.Own != nil && len(q.Own)+len(q.OwnDomains) == 0 {
		return record.Page{}, nil
	}
	days, err := s.days()
	if err != nil {
		return record.Page{}, fmt.Errorf("record: %w", err)
	}
	if q.Forward {
		slices.Reverse(days)
	}
	run := &searching{Store: s, q: q, began: s.Clock(), within: longest}
	if q.Text != "" {
		run.within = textWithin
	}
	for _, file := range days {
		first, last := file.bounds()
		if first, last = run.narrow(first, last, 0); first > last {
			continue
		}
		err := run.day(ctx, file)
		switch {
		case errors.Is(err, errFull):
			return run.page, nil
		case damaged(err):
			s.once("damaged"+file.path, "%s is damaged, and not searched: %v", file.path, err)
		case gone(file, err):
		case err != nil:
			return record.Page{}, fmt.Errorf("record: %s: %w", file.path, denied(file.path, err))
		}
		if file != days[len(days)-1] && run.late() {
			run.giveUp(first, last)
			return run.page, nil
		}
	}
	return run.page, nil
}

// gone reports whether an error comes from a day that has just been unlinked, or just been begun.
func gone(file dayFile, err error) bool {
	if err == nil {
		return false
	}
	if strings.Contains(err.Error(), "no such table") {
		return true
	}
	_, missing := os.Stat(file.path)
	return errors.Is(missing, fs.ErrNotExist)
}

// searching is one search.
type searching struct {
	*Store
	q      record.Query
	began  time.Time
	within time.Duration
	page   record.Page
}

// errFull ends a search whose page is full, or whose time is over.
var errFull = errors.New("the page is full")

// day searches one day.
func (r *searching) day(ctx context.Context, file dayFile) error {
	if _, err := os.Stat(file.path); err != nil {
		return err // it has just been unlinked
	}
	db, err := r.reader(file)
	if err != nil {
		return err
	}
	late := int64(0)
	if !r.q.Until.IsZero() { // only then it is needed
		if late, err = meta(ctx, db, metaLate); err != nil {
			return err
		}
	}
	first, last := file.bounds()
	first, last = r.narrow(first, last, time.Duration(late)*time.Microsecond)
	w := where(r.q)
	if w.indexed {
		return r.piece(ctx, db, w, first, last)
	}
	entries, err := meta(ctx, db, metaEntries)
	if err != nil {
		return err
	}
	return r.pieces(ctx, db, w, first, last, entries)
}

// narrow brings the bounds of positions together. An entry is never written before its time, and no
// later than so much.
func (r *searching) narrow(first, last record.Position, late time.Duration) (record.Position, record.Position) {
	q := r.q
	if !q.Since.IsZero() {
		first = max(first, record.PositionAt(q.Since))
	}
	if q.After != 0 {
		first = max(first, q.After+1)
	}
	if !q.Until.IsZero() && late != 0 {
		last = min(last, record.PositionAt(q.Until.Add(late+time.Microsecond)))
	}
	if q.Before != 0 {
		last = min(last, q.Before-1)
	}
	return first, last
}

// pieces searches a day of so many entries without an index, and where they are many hour by hour,
// so that it can end in time.
func (r *searching) pieces(ctx context.Context, db *sql.DB, w condition, first, last record.Position, entries int64) error {
	width := record.PositionAt(time.Unix(0, 0).Add(window))
	if entries <= fewEntries {
		width = last - first + 1
	}
	for first <= last {
		from, to := max(first, last-width+1), last
		if r.q.Forward {
			from, to = first, min(last, first+width-1)
		}
		if err := r.piece(ctx, db, w, from, to); err != nil {
			return err
		}
		if r.q.Forward {
			first = to + 1
		} else {
			last = from - 1
		}
		if r.late() {
			r.giveUp(from, to)
			return errFull
		}
	}
	return nil
}

// late reports whether the time of the search is over.
func (r *searching) late() bool { return r.Clock().Sub(r.began) >= r.within }

// giveUp says how far the search came: it has looked at everything up to these positions.
func (r *searching) giveUp(first, last record.Position) {
	r.page.More, r.page.Reached = true, first.Time()
	if r.q.Forward {
		r.page.Reached = (last + 1).Time()
	}
}

// piece searches between two positions, both included.
func (r *searching) piece(ctx context.Context, db *sql.DB, w condition, first, last record.Position) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	rows, err := db.QueryContext(ctx, w.statement(r.q.Forward), append(slices.Clone(w.args), int64(first), int64(last))...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		e, err := scan(rows)
		if err != nil {
			if code(err) != 0 {
				return err
			}
			r.once("row"+first.Time().Format(dateFormat), "%v; it is left out, and whatever else of that day is like it", err)
			continue
		}
		if !r.q.Match(e) {
			continue
		}
		if len(r.page.Entries) == r.q.Limit {
			r.page.More = true
			return errFull
		}
		r.page.Entries = append(r.page.Entries, e)
	}
	return rows.Err()
}

// scan reads one row.
func scan(rows *sql.Rows) (record.Entry, error) {
	var r row.Row
	var micro int64
	var net []byte
	var id, session, host, client, sender, domain, login, check, mode, action, service, direction, shown sql.NullString
	var code, fates sql.NullInt64
	if err := rows.Scan(&r.Position, &r.Kind, &micro, &id, &session, &r.Transaction, &host, &client, &net, &sender, &domain, &login, &check,
		&mode, &action, &code, &fates, &service, &direction, &shown, &r.Rest); err != nil {
		return record.Entry{}, err
	}
	r.Time, r.ID, r.Session, r.Host = time.UnixMicro(micro).UTC(), id.String, session.String, host.String
	r.Login, r.Check, r.Service, r.Direction = login.String, check.String, policy.Service(service.String), direction.String
	if client.Valid {
		r.Client, _ = netip.ParseAddr(client.String) // what is no address is unknown
	}
	if mode.Valid {
		if err := errors.Join(r.Mode.UnmarshalText([]byte(mode.String)), r.Action.UnmarshalText([]byte(action.String))); err != nil {
			return record.Entry{}, fmt.Errorf("record: entry %d: %w", r.Position, err)
		}
	}
	return r.Decode()
}
