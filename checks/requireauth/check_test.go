package requireauth

import (
	"testing"

	"mailweir/internal/policytest"
)

func TestRequireAuth(t *testing.T) {
	const refused = "mail 550 5.7.0 Submitter failed to authenticate"
	policytest.Only(Check).Play(t, []string{"--services=submit=submission"}, []policytest.Scenario{
		{Name: "not submission"},
		{Name: "submission", Mail: policytest.Letter{Door: "submit"}, Said: refused},
		{Name: "submission from a trusted net", Mail: policytest.Letter{Door: "submit", Client: "127.0.0.1"}, Said: refused},
		{Name: "login", Mail: policytest.Letter{Door: "submit", Login: "alice"}},
		{Name: "exempt", Flags: []string{"--require-auth-exempt=inline:{192.0.2.1=printer}"}, Mail: policytest.Letter{Door: "submit"}},
		{Name: "local", Mail: policytest.Letter{Door: "submit", Client: "none"}},
	})
}
