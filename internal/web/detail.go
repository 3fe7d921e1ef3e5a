package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/attempts"
	"mailweir/internal/record/why"
	"mailweir/internal/web/view"
)

// Bounds of the page of a decision.
const (
	shownChains    = 5
	shownDecisions = 200
)

// teller tells decisions as far as a visitor may see them.
func (p *Pages) teller(v policy.Person) *why.Teller {
	t := p.Teller(p.reader(v))
	if v.Role == policy.RoleUser {
		t.Tables = nil // where they are is no business of his
	}
	return t
}

// told tells the decision in the path, or answers that there is none.
func (p *Pages) told(w http.ResponseWriter, r *http.Request, v policy.Person) *why.Telling {
	if p.Record == nil {
		p.noRecord(w, r, v)
		return nil
	}
	telling, err := p.teller(v).Tell(r.Context(), r.PathValue("id"))
	var unknown *why.UnknownError
	switch {
	case errors.As(err, &unknown):
		p.fail(w, r, v, http.StatusNotFound, unknown.Error())
		return nil
	case err != nil:
		p.failed(w, r, v, err)
		return nil
	}
	return telling
}

// decision tells one decision.
func (p *Pages) decision(w http.ResponseWriter, r *http.Request, v policy.Person) {
	telling := p.told(w, r, v)
	if telling == nil {
		return
	}
	d := view.Detail{Telling: telling, Actions: p.actions(v, telling)}
	for _, e := range telling.Beside {
		d.Beside = append(d.Beside, decisionRow(e))
	}
	var err error
	if d.Chains, d.More, err = p.chains(r.Context(), v, record.Entry{Event: telling.Event}); err != nil {
		p.failed(w, r, v, err)
		return
	}
	p.render(w, r, http.StatusOK, view.DetailPage(p.page(r, v, telling.ID, pageRejections), d))
}

// chains are the attempts that an entry belongs to, one a recipient.
func (p *Pages) chains(ctx context.Context, v policy.Person, e record.Entry) (list []attempts.Chain, more int, err error) {
	mails := attempts.Of(e)
	shown := mails[:min(len(mails), shownChains)]
	for _, m := range shown {
		c, err := attempts.Find(ctx, p.reader(v), m, p.Clock())
		if err != nil {
			return nil, 0, err
		}
		list = append(list, c)
	}
	return list, len(mails) - len(shown), nil
}

// message tells what became of one mail transaction.
func (p *Pages) message(w http.ResponseWriter, r *http.Request, v policy.Person) {
	if p.Record == nil {
		p.noRecord(w, r, v)
		return
	}
	number, err := strconv.Atoi(r.PathValue("number"))
	if err != nil || number < 1 {
		p.fail(w, r, v, http.StatusNotFound, "There is no such message in the record.")
		return
	}
	found, err := p.reader(v).Search(r.Context(), record.Query{Session: r.PathValue("session"), Transaction: number, Forward: true, Limit: shownDecisions})
	if err != nil {
		p.failed(w, r, v, err)
		return
	}
	m := view.Message{}
	for _, e := range found.Entries {
		if e.Message != nil {
			m.Transaction = e.Message
		} else {
			m.Decisions = append(m.Decisions, decisionRow(e.Event))
		}
	}
	if m.Transaction == nil {
		p.fail(w, r, v, http.StatusNotFound, "There is no such message in the record.")
		return
	}
	if m.Chains, m.More, err = p.chains(r.Context(), v, record.Entry{Message: m.Transaction}); err != nil {
		p.failed(w, r, v, err)
		return
	}
	p.render(w, r, http.StatusOK, view.MessagePage(p.page(r, v, "Message", pageRejections), m))
}

// actions are what a visitor may do about a decision: what lets such mail pass, and then what keeps
// it away.
func (p *Pages) actions(v policy.Person, t *why.Telling) (list []view.Action) {
	seen := map[string]bool{}
	add := func(w why.Way, grave bool) {
		a := act{w.Operation, w.Words}
		id := actID(a)
		if w.Operation == "" || seen[id] || !p.mayAct(v, a) {
			return
		}
		seen[id] = true
		op, _ := p.operation(w.Operation)
		action := view.Action{
			ID: id, Says: w.Says, Button: "Do this", Command: command(a, "", 0), Lasts: op.Effect == policy.Enters, Grave: grave,
		}
		if w.Vouched && !w.Sure {
			action.Remark = "The record does not tell whether SPF or DKIM vouches for the sender; without that it does not count."
		}
		list = append(list, action)
	}
	for _, w := range t.Ways {
		add(w, false)
	}
	for _, w := range t.Measures {
		add(w, true)
	}
	return list
}

// actID names an act in a form. The server finds the act among those that fit, so that a form
// chooses and says nothing else.
func actID(a act) string {
	sum := sha256.Sum256([]byte(a.operation + "\x00" + strings.Join(a.words, "\x00")))
	return hex.EncodeToString(sum[:6])
}

// decide does what the form of a decision's page has chosen.
func (p *Pages) decide(w http.ResponseWriter, r *http.Request, v policy.Person) {
	telling := p.told(w, r, v)
	if telling == nil {
		return
	}
	note := strings.TrimSpace(r.PostFormValue("note"))
	life, err := lasting(r.PostFormValue("for"))
	if note == "" {
		err = policy.Wrongf("Say why in the note: it is kept for those who look at it later.")
	}
	if err != nil {
		p.failed(w, r, v, err)
		return
	}
	for _, way := range append(telling.Ways, telling.Measures...) {
		a := act{way.Operation, way.Words}
		if way.Operation == "" || actID(a) != r.PostFormValue("action") {
			continue
		}
		answer, err := p.perform(r.Context(), v, a, note, life)
		if err != nil {
			p.failed(w, r, v, err)
			return
		}
		p.render(w, r, http.StatusOK, view.DonePage(p.page(r, v, "Done", pageRejections), view.Done{
			Says: way.Says, Answer: answer, Command: command(a, note, life), Undo: p.undo(a),
			Back: view.DecisionPath(telling.ID), BackText: telling.ID,
		}))
		return
	}
	p.fail(w, r, v, http.StatusNotFound, "That does not fit this decision any longer. Look at it again.")
}

// longestEntry bounds how long an entry may last by itself.
const longestEntry = 10 * 365 * 24 * time.Hour

// lasting reads for how long an entry is to last, 0 for until it is taken back.
func lasting(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := policy.ParseDuration(text)
	if err != nil || d <= 0 || d > longestEntry {
		return 0, policy.Wrongf("%q is no span of time such as 24h or 30d", text)
	}
	return d, nil
}
