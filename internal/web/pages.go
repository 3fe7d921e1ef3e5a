package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/a-h/templ"

	"mailweir/internal/admin"
	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/web/door"
	"mailweir/internal/web/view"
)

// Pages answer the requests that the door lets through. Their files are named after the pages.
type Pages struct {
	Parts
	// turn has room for one who reads much of the record.
	turn chan struct{}
}

// New returns pages of these parts.
func New(p Parts) *Pages { return &Pages{p, make(chan struct{}, 1)} }

// Door are the pages that the door shows on its own.
func (p *Pages) Door() door.Pages {
	return door.Pages{
		Login: func(w http.ResponseWriter, r *http.Request, status int, trouble, next string) {
			p.render(w, r, status, view.Login(p.page(r, policy.Person{}, "Log in", ""), trouble, next))
		},
		Error: func(w http.ResponseWriter, r *http.Request, v *policy.Person, status int, text string) {
			if v == nil {
				v = &policy.Person{}
			}
			p.fail(w, r, *v, status, text)
		},
	}
}

// render writes a page.
func (p *Pages) render(w http.ResponseWriter, r *http.Request, status int, page templ.Component) {
	templ.Handler(page, templ.WithStatus(status)).ServeHTTP(w, r)
}

// fail says why something is not shown or not done.
func (p *Pages) fail(w http.ResponseWriter, r *http.Request, v policy.Person, status int, text string) {
	p.render(w, r, status, view.Failure(p.page(r, v, http.StatusText(status), ""), text))
}

// failed answers with an error of an operation, or of the record.
func (p *Pages) failed(w http.ResponseWriter, r *http.Request, v policy.Person, err error) {
	p.fail(w, r, v, statusOf(err), err.Error())
}

func statusOf(err error) int {
	switch {
	case errors.As(err, new(*policy.WrongError)):
		return http.StatusBadRequest
	case errors.As(err, new(*admin.DeniedError)):
		return http.StatusForbidden
	case errors.As(err, new(*admin.UnknownError)):
		return http.StatusNotFound
	case errors.As(err, new(*admin.UnavailableError)), errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// do carries an operation out as the visitor, if he may. why is his note, life how long an entry is
// to last; the answer is JSON.
func (p *Pages) do(ctx context.Context, v policy.Person, operation string, request any, why string, life time.Duration) (json.RawMessage, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	return p.Admin.Do(ctx, v, admin.Request{Operation: operation, Why: why, For: life, Body: body})
}

// may reports whether the visitor may do that: for the buttons of a page.
func (p *Pages) may(v policy.Person, operation string, request any) bool {
	body, err := json.Marshal(request)
	return err == nil && p.Admin.Allowed(v, admin.Request{Operation: operation, Body: body})
}

// within restricts a query to what a visitor may see. Every query of a page goes through it.
func within(v policy.Person, q record.Query) record.Query {
	if v.Remit == nil {
		return q
	}
	q.Own, q.OwnDomains = append([]string{}, v.Remit.Addresses...), v.Remit.Domains
	return q
}
