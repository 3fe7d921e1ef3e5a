package checks

import "testing"

func TestRequireAuth(t *testing.T) {
	const refused = "mail 550 5.7.0 Submitter failed to authenticate"
	only(RequireAuth).play(t, []string{"--services=submit=submission"}, []scenario{
		{name: "not submission"},
		{name: "submission", mail: letter{door: "submit"}, said: refused},
		{name: "submission from a trusted net", mail: letter{door: "submit", client: "127.0.0.1"}, said: refused},
		{name: "login", mail: letter{door: "submit", login: "alice"}},
		{name: "exempt", flags: []string{"--require-auth-exempt=inline:{192.0.2.1=printer}"}, mail: letter{door: "submit"}},
		{name: "local", mail: letter{door: "submit", client: "none"}},
	})
}
