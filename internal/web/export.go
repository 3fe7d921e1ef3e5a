package web

import (
	"context"
	"net/http"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/terminal"
)

// Limits of an export. It is read piece by piece, so that the record is held open for no longer
// than one takes.
const (
	exportPiece = 1000
	exportMost  = 1_000_000
)

// exportCSV writes the list as comma-separated values.
func (p *Pages) exportCSV(w http.ResponseWriter, r *http.Request, v policy.Person) {
	var csv *terminal.CSV
	p.export(w, r, v, "text/csv; charset=utf-8; header=present", "csv", func(e *record.Entry) error {
		if csv == nil {
			csv = terminal.NewCSV(w, record.Columns()...)
		}
		if e != nil {
			csv.Row(e.Cells()...)
		}
		return csv.Flush()
	})
}

// exportJSON writes the list as lines of JSON.
func (p *Pages) exportJSON(w http.ResponseWriter, r *http.Request, v policy.Person) {
	var line []byte
	p.export(w, r, v, "application/jsonl", "jsonl", func(e *record.Entry) (err error) {
		if e == nil {
			return nil
		}
		if line, err = record.AppendJSON(line[:0], *e); err != nil {
			return err
		}
		_, err = w.Write(line)
		return err
	})
}

// export has every entry written that the filter wants; the first call is with nil.
func (p *Pages) export(w http.ResponseWriter, r *http.Request, v policy.Person, kind, ending string, write func(*record.Entry) error) {
	if p.Record == nil {
		p.noRecord(w, r, v)
		return
	}
	q, wrong := queryOf(readFilter(r.URL.Query()), p.checkNames(), p.Clock())
	if len(wrong) > 0 {
		p.fail(w, r, v, http.StatusBadRequest, wrong[0].Label+": "+wrong[0].Why)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="mailweir-`+p.Clock().UTC().Format("20060102-150405")+"."+ending+`"`)
	if write(nil) != nil {
		return
	}
	// The answer has begun: whoever reads it learns of an error by its being cut.
	if err := eachEntry(r.Context(), p.reader(v), q, func(e record.Entry) error { return write(&e) }); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// eachEntry calls for every entry that a query wants.
func eachEntry(ctx context.Context, reader record.Reader, q record.Query, call func(record.Entry) error) error {
	q.Limit = exportPiece
	for n := 0; n < exportMost; {
		page, err := reader.Search(ctx, q)
		if err != nil {
			return err
		}
		for _, e := range page.Entries {
			if err := call(e); err != nil {
				return err
			}
		}
		n += len(page.Entries)
		next := nextPage(page)
		if next == 0 || q.Before != 0 && next >= q.Before {
			return nil
		}
		q.Before = next
	}
	return nil
}
