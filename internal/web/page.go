package web

import (
	"net/http"

	"mailweir/internal/policy"
	"mailweir/internal/web/door"
	"mailweir/internal/web/view"
)

// page is what stands around a page for a visitor. current is the path of the entry of the
// navigation that it belongs to.
func (p *Pages) page(r *http.Request, v policy.Person, title, current string) view.Page {
	return view.Page{
		Title: title, Current: current, Name: policy.Clean(v.Name), Role: string(v.Role), Host: p.Host, CanLogOut: door.LoggedIn(r),
	}
}
