package web

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/web/view"
)

const pageRejections = "/rejections"

// rejections is the list, by the filter in the URL.
func (p *Pages) rejections(w http.ResponseWriter, r *http.Request, v policy.Person) {
	if p.Record == nil {
		p.noRecord(w, r, v)
		return
	}
	values := r.URL.Query()
	filter := readFilter(values)
	filter.Checks = p.checkNames()
	q, wrong := queryOf(filter, filter.Checks, p.Clock())
	filter.Wrong = wrong
	list := view.Rejections{Filter: filter, Tabs: tabs(filter)}
	q.Before = position(values.Get("before"))
	status := http.StatusOK
	if len(wrong) > 0 {
		status = http.StatusBadRequest
	} else if err := p.fillList(r, v, q, &list); err != nil {
		p.failed(w, r, v, err)
		return
	}
	p.render(w, r, status, view.RejectionsPage(p.page(r, v, "Rejections", pageRejections), list))
}

// fillList asks the record for a page of the list, and makes the links around it.
func (p *Pages) fillList(r *http.Request, v policy.Person, q record.Query, list *view.Rejections) error {
	reader := p.reader(v)
	found, err := reader.Search(r.Context(), q)
	if err != nil {
		return err
	}
	list.Rows = rowsOf(found.Entries)
	here := filterValues(list.Filter)
	list.CSV, list.JSON = link("/rejections.csv", here), link("/rejections.jsonl", here)
	if q.Before != 0 {
		list.Newest = link(pageRejections, here)
	} else if q.Until.IsZero() && p.Watch != nil {
		list.Live = link("/rejections/live", here)
	}
	if next := nextPage(found); next != 0 {
		list.Older = link(pageRejections, with(here, "before", positionText(next)))
	}
	if !found.Reached.IsZero() {
		list.Reached = found.Reached.UTC().Format(time.DateTime) + "Z"
	}
	if len(found.Entries) == 0 {
		extent, err := reader.Extent(r.Context())
		if err != nil {
			return err
		}
		if !extent.Oldest.IsZero() {
			list.Back = extent.Oldest.UTC().Format(time.DateOnly)
		}
	}
	return nil
}

// nextPage is where the page after this one begins, 0 where there is none.
func nextPage(found record.Page) record.Position {
	switch n := len(found.Entries); {
	case !found.Reached.IsZero(): // it has looked at everything down to there
		return record.PositionAt(found.Reached)
	case found.More && n > 0:
		return found.Entries[n-1].Position
	}
	return 0
}

// noRecord says why there is nothing to see.
func (p *Pages) noRecord(w http.ResponseWriter, r *http.Request, v policy.Person) {
	p.fail(w, r, v, http.StatusNotFound, "This mailweir keeps no record of its decisions: see --record.")
}

// tabs choose what most people look for, and leave the other fields as they are.
func tabs(f view.Filter) (list []view.Tab) {
	for _, t := range []struct{ text, code, mode, action, show string }{
		{text: "All decisions"},
		{text: "Refused (5xx)", code: "5xx", action: "refused"},
		{text: "Deferred (4xx)", code: "4xx", action: "deferred"},
		{text: "Would have been", mode: "monitor"},
		{text: "Check errors", action: "check_error"},
		{text: "Accepted too", show: "all"},
	} {
		to := f
		to.Code, to.Mode, to.Action, to.Show, to.Fate = t.code, t.mode, t.action, t.show, ""
		list = append(list, view.Tab{
			Link: view.Link{Href: link(pageRejections, filterValues(to)), Text: t.text},
			Here: f.Code == t.code && f.Mode == t.mode && f.Action == t.action && f.Show == t.show && f.Fate == "",
		})
	}
	return list
}

// link is a path with values.
func link(path string, values url.Values) string {
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

// with adds a value to those of a URL.
func with(values url.Values, name, value string) url.Values {
	more := url.Values{name: {value}}
	for n, v := range values {
		if n != name {
			more[n] = v
		}
	}
	return more
}

// position reads where a page of a list begins, 0 for at the newest.
func position(text string) record.Position {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return record.Position(n)
}

func positionText(p record.Position) string { return strconv.FormatInt(int64(p), 10) }

// checkNames are the names of all checks.
func (p *Pages) checkNames() (names []string) {
	for _, c := range p.Registry.Checks {
		names = append(names, c.Name)
	}
	return names
}
