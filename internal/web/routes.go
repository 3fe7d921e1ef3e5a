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
	users  = []policy.Role{policy.RoleUser}
	admins = []policy.Role{policy.RoleAdmin}
)

// Routes are all that can be asked for, besides logging in and out. It is the one place that says
// which roles may.
func (p *Pages) Routes() []door.Route {
	return []door.Route{
		{Pattern: "GET " + view.Assets, Handle: asset},
		{Pattern: "GET /{$}", May: all, Handle: p.home},

		{Pattern: "GET /state", May: staff, Handle: p.state},
		{Pattern: "GET /state/{group}", May: staff, Handle: p.stateGroup},
		{Pattern: "GET /state/{group}/{verb}", May: helper, Handle: p.stateForm},
		{Pattern: "POST /state/{group}/{verb}", May: helper, Handle: p.stateDo},
		{Pattern: "GET /explain", May: staff, Whole: true, Handle: p.explainForm},
		{Pattern: "POST /explain", May: staff, Whole: true, Handle: p.explain, Body: explainMost},
		{Pattern: "GET /policy", May: staff, Whole: true, Handle: p.policy},
		{Pattern: "GET /settings", May: staff, Whole: true, Handle: p.settings},
		{Pattern: "POST /policy/check", May: admins, Whole: true, Handle: p.checkPolicy},
		{Pattern: "POST /policy/reload", May: admins, Whole: true, Handle: p.reloadPolicy},
		{Pattern: "GET /audit", May: staff, Whole: true, Handle: p.audit},
		{Pattern: "GET /would", May: staff, Whole: true, Handle: p.would},
		{Pattern: "GET /search", May: staff, Handle: p.search},
		{Pattern: "GET /rejections", May: staff, Handle: p.rejections},
		{Pattern: "GET /rejections/live", May: staff, Handle: p.live, Stream: true},
		{Pattern: "GET /rejections.csv", May: staff, Handle: p.exportCSV, Stream: true},
		{Pattern: "GET /rejections.jsonl", May: staff, Handle: p.exportJSON, Stream: true},
		{Pattern: "GET /decision/{id}", May: staff, Handle: p.decision},
		{Pattern: "POST /decision/{id}/do", May: helper, Handle: p.decide},
		{Pattern: "GET /message/{session}/{number}", May: staff, Handle: p.message},
		{Pattern: "GET /mine", May: users, Handle: p.mine},
		{Pattern: "GET /mine/{id}", May: users, Handle: p.mineOne},
		{Pattern: "POST /mine/{id}/wanted", May: users, Handle: p.want},
		{Pattern: "POST /entries", May: users, Handle: p.changeEntry},
	}
}

func asset(w http.ResponseWriter, r *http.Request, _ policy.Person) {
	view.AssetHandler().ServeHTTP(w, r)
}
