package web

import (
	"net/http"
	"net/url"
	"strconv"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/web/view"
)

// pageAudit is who has changed what at run time.
const pageAudit = "/audit"

// audit shows rows of the audit.
func (p *Pages) audit(w http.ResponseWriter, r *http.Request, v policy.Person) {
	asked := r.URL.Query()
	page := view.AuditPage{By: asked.Get("by"), Operation: asked.Get("operation"), Holding: asked.Get("holding"), NoRecord: p.Record == nil}
	if p.Record != nil {
		before, _ := strconv.ParseInt(asked.Get("before"), 10, 64)
		changes, err := p.Record.Changes(r.Context(), record.ChangeQuery{
			By: page.By, Operation: page.Operation, Text: page.Holding, Before: record.Position(before), Limit: rowsShown + 1,
		})
		page.Trouble = words(err)
		if len(changes) > rowsShown {
			changes = changes[:rowsShown]
			page.Older = auditPath(asked, changes[rowsShown-1].Position)
		}
		if before > 0 {
			page.Newest = auditPath(asked, 0)
		}
		page.Changes = changes
	}
	p.render(w, r, http.StatusOK, view.Audit(p.page(r, v, "Audit", pageAudit), page))
}

// auditPath is the same page before a position, or from the newest row on.
func auditPath(asked url.Values, before record.Position) string {
	query := url.Values{}
	for _, name := range []string{"by", "operation", "holding"} {
		if value := asked.Get(name); value != "" {
			query.Set(name, value)
		}
	}
	if before > 0 {
		query.Set("before", strconv.FormatInt(int64(before), 10))
	}
	return pageAudit + "?" + query.Encode()
}
