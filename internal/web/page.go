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
		Title: title, Current: current, Nav: navigation(v), Search: v.Role != "" && v.Role != policy.RoleUser,
		Name: policy.Clean(v.Name), Role: string(v.Role), Host: p.Host, CanLogOut: door.LoggedIn(r),
	}
}

// navigation are the pages that a visitor may open. Who has a remit sees none of those that are
// about everybody's mail.
func navigation(v policy.Person) []view.Link {
	switch v.Role {
	case "":
		return nil
	case policy.RoleUser:
		return []view.Link{{Href: pageMine, Text: "My mail"}}
	}
	list := []view.Link{{Href: "/", Text: "Overview"}, {Href: pageRejections, Text: "Rejections"}}
	if v.Remit != nil {
		return list
	}
	return append(list, view.Link{Href: pageWould, Text: "Would"}, view.Link{Href: "/state", Text: "State"}, view.Link{Href: "/explain", Text: "Explain"},
		view.Link{Href: "/policy", Text: "Policy"}, view.Link{Href: "/settings", Text: "Settings"}, view.Link{Href: "/audit", Text: "Audit"})
}
