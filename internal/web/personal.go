package web

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"mailweir/internal/encodedword"
	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/why"
	"mailweir/internal/web/view"
)

const pageMine = "/mine"

// mine is what was refused, deferred or removed for a user, and what he permits and blocks.
func (p *Pages) mine(w http.ResponseWriter, r *http.Request, v policy.Person) {
	m := view.Mine{Addresses: addressesOf(v)}
	if p.Record != nil {
		q := record.Query{
			Kind: record.Decisions, Actions: []policy.Action{policy.ActionRefused, policy.ActionDeferred, policy.ActionRemoved},
			Before: position(r.URL.Query().Get("before")),
		}
		found, err := p.reader(v).Search(r.Context(), q)
		if err != nil {
			p.failed(w, r, v, err)
			return
		}
		for _, e := range found.Entries {
			m.Rows = append(m.Rows, personalRow(e.Event))
		}
		if q.Before != 0 {
			m.Newest = pageMine
		}
		if n := len(found.Entries); n > 0 && found.More {
			m.Older = pageMine + "?before=" + positionText(found.Entries[n-1].Position)
		}
	}
	var err error
	if m.Entries, err = p.ownEntries(r, v); err != nil {
		m.Trouble = "Your permits and blocks cannot be shown at the moment: " + err.Error()
	}
	p.render(w, r, http.StatusOK, view.MinePage(p.page(r, v, "My mail", pageMine), m))
}

// personalRow is all that a user sees of a decision in a list.
func personalRow(e *policy.Event) view.MineRow {
	return view.MineRow{
		Href: minePath(e.ID), At: e.Time, Word: e.Action.String(), Tone: view.ActionTone(e.Action),
		Sender: senderText(e.Sender, e.HasSender), Recipients: e.Recipients, Subject: encodedword.Decode(e.Subject), Reply: e.Line.String(),
	}
}

// minePath is a user's page of a decision.
func minePath(id string) string {
	return strings.Replace(view.DecisionPath(id), "/decision", pageMine, 1)
}

// addressesOf are those that a user may decide for, in the order in which he has them.
func addressesOf(v policy.Person) []string {
	if v.Remit == nil {
		return nil
	}
	return v.Remit.Addresses
}

// mineOne is a user's page of one decision. What is not his is not there, as if it had never been.
func (p *Pages) mineOne(w http.ResponseWriter, r *http.Request, v policy.Person) {
	t := p.told(w, r, v)
	if t == nil {
		return
	}
	p.render(w, r, http.StatusOK, view.MineOnePage(p.page(r, v, "My mail", pageMine), p.mineOf(v, t)))
}

// mineOf is all that a user sees of a decision.
func (p *Pages) mineOf(v policy.Person, t *why.Telling) view.MineOne {
	m := view.MineOne{ID: t.ID, MineRow: personalRow(t.Event), Refused: t.Event.Action == policy.ActionRefused}
	if t.Reply != nil {
		m.Description, m.Resolution = t.Reply.Description, t.Reply.Resolution
	}
	if len(p.wanted(v, t)) > 0 {
		m.Wanted = minePath(t.ID) + "/wanted"
	}
	m.Unvouched = t.OwnPermit && m.Wanted == "" && t.Event.Sender != ""
	return m
}

// wanted are the permits by which a user has such mail let in: one for each of his addresses that
// it was for. None where a recipient's permit does not lift what the check objects to.
func (p *Pages) wanted(v policy.Person, t *why.Telling) (list []act) {
	if !t.OwnPermit || !t.Event.Action.Answers() {
		return nil
	}
	permit := p.ownPermit()
	for _, w := range t.Ways {
		if permit == nil || w.Operation != permit.Operation {
			continue
		}
		for _, to := range t.Event.Recipients {
			a := act{w.Operation, filledFor(permit.Words, to, t.Event.Sender)}
			if p.mayAct(v, a) {
				list = append(list, a)
			}
		}
		return list
	}
	return nil
}

// ownPermit is how a recipient permits a sender, nil where there is no such thing.
func (p *Pages) ownPermit() *policy.Lift {
	for _, c := range p.Registry.Checks {
		if c.Permits != nil {
			return c.Permits
		}
	}
	return nil
}

// filledFor fills recipient and sender into the words of a lift.
func filledFor(words []string, to, sender string) []string {
	values := map[string]string{"to": record.Key(to), "sender": record.Key(sender)}
	filled, _ := policy.Lift{Words: words}.Fill(values, "")
	return filled.Words
}

// want lets a sender in for the user from now on.
func (p *Pages) want(w http.ResponseWriter, r *http.Request, v policy.Person) {
	t := p.told(w, r, v)
	if t == nil {
		return
	}
	list := p.wanted(v, t)
	if len(list) == 0 {
		p.fail(w, r, v, http.StatusConflict, "A permit of yours does not let such mail in. Please ask your postmaster.")
		return
	}
	for _, a := range list {
		if _, err := p.perform(r.Context(), v, a, "wanted: "+t.ID, 0); err != nil {
			p.failed(w, r, v, err)
			return
		}
	}
	p.render(w, r, http.StatusOK, view.WantedPage(p.page(r, v, "My mail", pageMine), view.Wanted{
		Sender: t.Event.Sender, Deferred: t.Event.Action == policy.ActionDeferred, Sure: sureOf(t, list[0].operation), Again: t.Again,
	}))
}

// sureOf reports whether it is known that something vouches for the sender.
func sureOf(t *why.Telling, operation string) bool {
	i := slices.IndexFunc(t.Ways, func(w why.Way) bool { return w.Operation == operation })
	return i >= 0 && t.Ways[i].Sure
}

// ownEntries are the permits and blocks of a user.
func (p *Pages) ownEntries(r *http.Request, v policy.Person) (entries view.Entries, err error) {
	permit := p.ownPermit()
	if permit == nil {
		return entries, nil
	}
	group, _, _ := strings.Cut(permit.Operation, "/")
	op, ok := p.operation(group + "/list")
	if !ok {
		return entries, nil
	}
	for _, a := range addressesOf(v) {
		in, err := request(op, []string{"--user=" + a})
		if err != nil {
			return entries, err
		}
		answer, err := p.do(r.Context(), v, group+"/list", in, "", 0)
		if err != nil {
			return entries, err
		}
		listing, err := op.Listing(answer)
		if err != nil {
			return entries, err
		}
		entries.Titles = listing.Titles
		for _, row := range listing.Rows {
			entries.Rows = append(entries.Rows, p.entryRow(v, row))
		}
	}
	return entries, nil
}

func (p *Pages) entryRow(v policy.Person, row policy.ListRow) view.EntryRow {
	e := view.EntryRow{Cells: row.Cells}
	for _, use := range row.Uses {
		a := act{use.Group + "/" + use.Verb, use.Words}
		if p.mayAct(v, a) {
			e.Uses = append(e.Uses, view.EntryUse{Title: use.Title, Operation: a.operation, Words: use.Words})
		}
	}
	return e
}

// changeEntry makes an entry of a user's own, or takes one back.
func (p *Pages) changeEntry(w http.ResponseWriter, r *http.Request, v policy.Person) {
	permit := p.ownPermit()
	if permit == nil {
		p.fail(w, r, v, http.StatusNotFound, "There are no such entries.")
		return
	}
	group, _, _ := strings.Cut(permit.Operation, "/")
	a, life, err := entryOf(r, group)
	if err == nil {
		_, err = p.perform(r.Context(), v, a, cmp.Or(strings.TrimSpace(r.PostFormValue("note")), "by the recipient"), life)
	}
	if err != nil {
		p.failed(w, r, v, err)
		return
	}
	http.Redirect(w, r, pageMine+"#entries", http.StatusSeeOther)
}

// entryOf reads the form of an entry.
func entryOf(r *http.Request, group string) (act, time.Duration, error) {
	user, sender := "--user="+strings.TrimSpace(r.PostFormValue("user")), strings.TrimSpace(r.PostFormValue("sender"))
	life, err := lasting(r.PostFormValue("for"))
	switch r.PostFormValue("do") {
	case "permit":
		return act{group + "/add", []string{user, "--permit=" + sender}}, life, err
	case "block":
		return act{group + "/add", []string{user, "--block=" + sender}}, life, err
	case "rm":
		return act{group + "/rm", r.PostForm["word"]}, 0, nil
	}
	return act{}, 0, policy.Wrongf("choose whether to permit or to block the sender")
}
