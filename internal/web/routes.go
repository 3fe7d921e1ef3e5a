package web

import (
	"net/http"

	"mailweir/internal/policy"
	"mailweir/internal/web/door"
	"mailweir/internal/web/view"
)

// Who may ask for a page. What an operation does to whom is decided by [admin.ByRole], again.
var (
	all    = []policy.Role{policy.RoleAdmin, policy.RoleHelpdesk, policy.RoleAuditor, policy.RoleUser}
	staff  = []policy.Role{policy.RoleAdmin, policy.RoleHelpdesk, policy.RoleAuditor}
	helper = []policy.Role{policy.RoleAdmin, policy.RoleHelpdesk}
	admins = []policy.Role{policy.RoleAdmin}
)

// Routes are all that can be asked for, besides logging in and out. It is the one place that says
// which roles may.
func (p *Pages) Routes() []door.Route {
	return []door.Route{
		{Pattern: "GET " + view.Assets, Handle: asset},
		{Pattern: "GET /{$}", May: all, Handle: p.home},
	}
}

func asset(w http.ResponseWriter, r *http.Request, _ policy.Person) {
	view.AssetHandler().ServeHTTP(w, r)
}

func (p *Pages) home(w http.ResponseWriter, r *http.Request, v policy.Person) {
	p.fail(w, r, v, http.StatusNotFound, "there is nothing here yet")
}
