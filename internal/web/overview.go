package web

import (
	"net/http"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/web/view"
)

// latestRows is how many decisions the first page shows.
const latestRows = 15

// home is the first page: for staff what happened at a glance, for a user what concerns him.
func (p *Pages) home(w http.ResponseWriter, r *http.Request, v policy.Person) {
	if v.Role == policy.RoleUser {
		http.Redirect(w, r, pageMine, http.StatusSeeOther)
		return
	}
	o := view.Overview{}
	if p.Admin.Backends != nil && p.Admin.Backends.Lists != nil && v.Remit == nil {
		o.Lists = listBars(p.Admin.Backends.Lists.Status())
	}
	if p.Record == nil {
		o.Warnings = append(o.Warnings, "This mailweir keeps no record of its decisions: see --record.")
	} else if err := p.fillOverview(r, v, &o); err != nil {
		p.failed(w, r, v, err)
		return
	}
	p.render(w, r, http.StatusOK, view.OverviewPage(p.page(r, v, "Overview", "/"), o))
}

// fillOverview asks the record. Whoever sees a part of the mail sees no sums: they are of all.
func (p *Pages) fillOverview(r *http.Request, v policy.Person, o *view.Overview) error {
	reader := p.reader(v)
	found, err := reader.Search(r.Context(), record.Query{Kind: record.Decisions, Limit: latestRows})
	if err != nil {
		return err
	}
	o.Latest = rowsOf(found.Entries)
	if v.Remit != nil {
		return nil
	}
	for i, s := range spans() {
		since, until := s.bounds(p.Clock())
		counts, err := reader.Counts(r.Context(), since, until, s.width)
		if err != nil {
			return err
		}
		messages := messagesChart(s, since, counts)
		o.Messages = append(o.Messages, messages)
		o.Checks = append(o.Checks, checksChart(s, since, counts))
		if i == 0 {
			o.Tiles = tiles(messages, decisionSums(counts))
		}
	}
	return nil
}
