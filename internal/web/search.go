package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"mailweir/internal/address"
	"mailweir/internal/policy"
	"mailweir/internal/record/why"
	"mailweir/internal/web/view"
)

// search goes to what the words in the search box are about: a decision by its id, alone or
// somewhere in a bounce, mail of a client, a sender or a recipient, a message by one of its ids, or
// text.
func (p *Pages) search(w http.ResponseWriter, r *http.Request, v policy.Person) {
	if p.Record == nil {
		p.noRecord(w, r, v)
		return
	}
	text := strings.TrimSpace(r.URL.Query().Get("q"))
	path, err := p.placeOf(r.Context(), v, text)
	if err != nil {
		p.failed(w, r, v, err)
		return
	}
	if path != "" {
		http.Redirect(w, r, path, http.StatusSeeOther)
		return
	}
	found := view.Found{}
	for _, part := range []struct{ title, name string }{{"As recipient", "to"}, {"As sender", "from"}} {
		filter := readFilter(url.Values{part.name: {text}, "show": {"all"}})
		q, _ := queryOf(filter, nil, p.Clock())
		q.Limit = 10
		page, err := p.reader(v).Search(r.Context(), q)
		if err != nil {
			p.failed(w, r, v, err)
			return
		}
		found.Parts = append(found.Parts, view.FoundPart{ID: "found-" + part.name, Title: part.title, Rows: rowsOf(page.Entries), All: link(pageRejections, filterValues(filter))})
	}
	around := p.page(r, v, "Search", "")
	around.Sought = text
	p.render(w, r, http.StatusOK, view.SearchPage(around, found))
}

// placeOf is the page that a text is about, "" for an address or a domain: that may be one of
// sender or recipient.
func (p *Pages) placeOf(ctx context.Context, v policy.Person, text string) (string, error) {
	to := func(name, value string) string {
		values := url.Values{name: {value}, "show": {"all"}}
		if value == "" {
			return pageRejections
		}
		return link(pageRejections, values)
	}
	ids := why.FindIDs([]byte(text))
	switch {
	case text == "":
		return pageRejections, nil
	case len(ids) > 0:
		return view.DecisionPath(ids[0]), nil
	case strings.ContainsAny(text, " \t\r\n"):
		return to("text", text), nil
	}
	if net, err := clientNet(text); err == nil {
		return to("client", net.String()), nil
	}
	for _, name := range []string{"mid", "queue"} {
		q, _ := queryOf(readFilter(url.Values{name: {text}, "show": {"all"}}), nil, p.Clock())
		q.Limit = 1
		page, err := p.reader(v).Search(ctx, q)
		if err != nil {
			return "", err
		}
		if len(page.Entries) > 0 {
			return to(name, text), nil
		}
	}
	if a := address.Parse(strings.TrimPrefix(text, "@")); strings.Contains(text, "@") && a.Key() != "" || text == "<>" {
		return "", nil
	}
	return to("text", text), nil
}
