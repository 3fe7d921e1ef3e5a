package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"mailweir/internal/admin"
	"mailweir/internal/policy"
	"mailweir/internal/web/view"
)

// pageState is what checks remember. Below it each group of operations has a page, and each
// operation a form: all are made of the declarations, as the commands are.
const pageState = "/state"

// rowsShown is how many rows of a list one page has.
const rowsShown = 100

// groups are the operations that people have, by group, in the order of the commands.
func (p *Pages) groups() []policy.OperationGroup {
	var shown []policy.OperationGroup
	for _, g := range slices.Concat(p.Admin.Offer().Groups, p.Admin.Own) {
		g.Operations = slices.DeleteFunc(slices.Clone(g.Operations), func(op policy.Operation) bool { return op.Hidden })
		if g.Name != "" && len(g.Operations) > 0 {
			shown = append(shown, g)
		}
	}
	slices.SortFunc(shown, func(a, b policy.OperationGroup) int { return cmp.Compare(a.Name, b.Name) })
	return shown
}

// group is the group that a path names.
func (p *Pages) group(r *http.Request) (policy.OperationGroup, bool) {
	for _, g := range p.groups() {
		if g.Name == r.PathValue("group") {
			return g, true
		}
	}
	return policy.OperationGroup{}, false
}

// named is the operation of a group that a path names.
func (p *Pages) named(r *http.Request) (policy.OperationGroup, policy.Operation, bool) {
	g, ok := p.group(r)
	for _, op := range g.Operations {
		if ok && op.Name == r.PathValue("verb") {
			return g, op, true
		}
	}
	return g, policy.Operation{}, false
}

// state is the list of the groups, and how much is kept.
func (p *Pages) state(w http.ResponseWriter, r *http.Request, v policy.Person) {
	var page view.StatePage
	for _, g := range p.groups() {
		page.Groups = append(page.Groups, view.StateGroup{Name: g.Name, Title: g.Title, Href: groupPath(g)})
	}
	if p.Record != nil && v.Remit == nil {
		extent, err := p.Record.Extent(r.Context())
		page.Extent, page.Trouble = &extent, words(err)
	}
	p.render(w, r, http.StatusOK, view.State(p.page(r, v, "State", pageState), page))
}

func words(err error) string {
	if err == nil {
		return ""
	}
	return policy.Clean(err.Error())
}

func groupPath(g policy.OperationGroup) string { return pageState + "/" + url.PathEscape(g.Name) }

// stateGroup shows the lists of a group, and leads to what can be done.
func (p *Pages) stateGroup(w http.ResponseWriter, r *http.Request, v policy.Person) {
	g, ok := p.group(r)
	if !ok {
		p.fail(w, r, v, http.StatusNotFound, "there is no such group of run-time commands")
		return
	}
	page := view.GroupPage{Name: g.Name, Title: g.Title}
	for _, op := range g.Operations {
		switch {
		case op.Effect == policy.Looks && op.Lists():
			page.Lists = append(page.Lists, p.list(r, v, g, op))
		case p.offers(v, op):
			page.Actions = append(page.Actions, view.StateAction{Verb: op.Name, Title: op.Title, Href: verbPath(g.Name, op.Name)})
		}
	}
	p.render(w, r, http.StatusOK, view.Group(p.page(r, v, g.Name, pageState), page))
}

func verbPath(group, verb string) string {
	return pageState + "/" + url.PathEscape(group) + "/" + url.PathEscape(verb)
}

// offers reports whether a button for an operation makes sense for a visitor. What it is about
// decides again, once that is known.
func (p *Pages) offers(v policy.Person, op policy.Operation) bool {
	return v.Role == policy.RoleAdmin || slices.Contains(op.May, v.Role)
}

// list is the list of an operation, as the address of the page asks for it.
func (p *Pages) list(r *http.Request, v policy.Person, g policy.OperationGroup, op policy.Operation) view.OpList {
	asked := r.URL.Query()
	f := newForm(g, op)
	list := view.OpList{ID: g.Name + "-" + op.Name, Title: op.Title, Help: op.Help, Path: r.URL.Path, Fields: f.fields(asked)}
	unasked := !f.filled(asked)
	if op.Args != "" && unasked {
		list.Empty = "Fill the form to ask."
		return list
	}
	in, err := request(op, f.words(asked))
	if err != nil {
		list.Trouble = words(err)
		return list
	}
	paged, isPaged := in.(policy.Paged)
	if isPaged {
		in = paged.Page(asked.Get("after"), rowsShown)
	}
	answer, err := p.do(r.Context(), v, admin.Path(g, op), in, "", 0)
	var found policy.Listing
	if err == nil {
		found, err = op.Listing(answer)
	}
	if err != nil {
		list.Trouble = words(err)
		return list
	}
	if !isPaged {
		found = part(found, asked.Get("holding"), asked.Get("after"))
		list.Filter, list.Holding = true, asked.Get("holding")
	}
	p.show(&list, v, found, r.URL)
	return list
}

// part is one page of a list that came whole: the rows that hold a text, after so many.
func part(l policy.Listing, holding, after string) policy.Listing {
	if holding = strings.ToLower(holding); holding != "" {
		l.Rows = slices.DeleteFunc(l.Rows, func(row policy.ListRow) bool {
			return !strings.Contains(strings.ToLower(strings.Join(row.Cells, "\n")), holding)
		})
	}
	from, _ := strconv.Atoi(after)
	from = min(max(from, 0), len(l.Rows))
	l.Rows = l.Rows[from:]
	if len(l.Rows) > rowsShown {
		l.Rows, l.Next = l.Rows[:rowsShown], strconv.Itoa(from+rowsShown)
	}
	return l
}

// show puts rows on the page, with what the visitor can do with each.
func (p *Pages) show(list *view.OpList, v policy.Person, l policy.Listing, here *url.URL) {
	list.Titles, list.Notes = l.Titles, l.Notes
	for _, row := range l.Rows {
		shown := view.OpRow{Cells: row.Cells}
		for _, use := range row.Uses {
			if p.mayAct(v, act{use.Group + "/" + use.Verb, use.Words}) {
				shown.Uses = append(shown.Uses, view.Link{Href: p.usePath(use), Text: use.Title})
			}
		}
		list.Rows = append(list.Rows, shown)
		list.HasUses = list.HasUses || len(shown.Uses) > 0
	}
	query := here.Query()
	if l.Next != "" {
		query.Set("after", l.Next)
		list.Next = here.Path + "?" + query.Encode()
	}
	if here.Query().Get("after") != "" {
		query.Del("after")
		list.First = here.Path + "?" + query.Encode()
	}
	if len(l.Rows) == 0 {
		list.Empty = "Nothing."
		if l.Next != "" {
			list.Empty = "Nothing so far; there is more to look through on the next page."
		}
	}
}

// usePath is the form of an operation, filled in.
func (p *Pages) usePath(use policy.Use) string {
	path := verbPath(use.Group, use.Verb)
	op, ok := p.operation(use.Group + "/" + use.Verb)
	if !ok {
		return path
	}
	return path + "?" + newForm(policy.OperationGroup{Name: use.Group}, op).values(use.Words).Encode()
}

// stateForm is the form of one operation.
func (p *Pages) stateForm(w http.ResponseWriter, r *http.Request, v policy.Person) {
	g, op, ok := p.named(r)
	if !ok || op.Effect == policy.Looks {
		p.fail(w, r, v, http.StatusNotFound, "there is no such run-time command")
		return
	}
	p.render(w, r, http.StatusOK, view.Operate(p.page(r, v, g.Name+" "+op.Name, pageState), p.opForm(g, op, r.URL.Query())))
}

// stateDo carries one operation out.
func (p *Pages) stateDo(w http.ResponseWriter, r *http.Request, v policy.Person) {
	g, op, ok := p.named(r)
	if !ok || op.Effect == policy.Looks {
		p.fail(w, r, v, http.StatusNotFound, "there is no such run-time command")
		return
	}
	if err := r.ParseForm(); err != nil {
		p.fail(w, r, v, http.StatusBadRequest, "the form is too large, or broken")
		return
	}
	form := p.opForm(g, op, r.PostForm)
	a := act{admin.Path(g, op), newForm(g, op).words(r.PostForm)}
	life, err := lasts(r.PostForm.Get("for"))
	note := strings.TrimSpace(r.PostForm.Get("note"))
	if err == nil && note == "" {
		err = policy.Wrongf("say why in the note, for those who look at it later")
	}
	if err == nil {
		form.Command = command(a, note, life)
		form.Answer, err = p.perform(r.Context(), v, a, note, life)
	}
	status := http.StatusOK
	if form.Trouble = words(err); err != nil {
		status = statusOf(err)
	}
	form.Done = err == nil
	p.render(w, r, status, view.Operate(p.page(r, v, g.Name+" "+op.Name, pageState), form))
}
