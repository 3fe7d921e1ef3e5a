package door

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"mailweir/internal/admin"
	"mailweir/internal/passwords"
	"mailweir/internal/policy"
)

// Bounds of what a login form may hold, in octets.
const (
	maxName     = 255
	maxPassword = 1024
)

// ownRoutes are those of logins.
func (s *Server) ownRoutes() []Route {
	return []Route{
		{Pattern: "GET /login", Handle: s.showLogin, Body: 1},
		{Pattern: "POST /login", Handle: s.login, Body: 8 << 10},
		{Pattern: "POST /logout", Handle: s.logout, Body: 8 << 10},
	}
}

func (s *Server) showLogin(w http.ResponseWriter, r *http.Request, v policy.Person) {
	next := ownPath(r.URL.Query().Get("next"))
	if v.Role != "" || !s.Identity.asks() {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	s.Pages.Login(w, r, http.StatusOK, "", next)
}

// What is said about an attempt. A wrong password and a name that does not exist look the same.
const (
	sayWrong = "That name and that password do not go together."
	sayBusy  = "The password could not be checked now; try again in a moment."
)

func (s *Server) login(w http.ResponseWriter, r *http.Request, _ policy.Person) {
	if !s.Identity.asks() {
		s.Pages.Error(w, r, nil, http.StatusNotFound, "nobody logs in here with a password")
		return
	}
	if err := r.ParseForm(); err != nil {
		s.Pages.Error(w, r, nil, http.StatusBadRequest, "the form cannot be read")
		return
	}
	name, password := r.PostForm.Get("name"), []byte(r.PostForm.Get("password"))
	defer clear(password)
	next := ownPath(r.PostForm.Get("next"))
	client, from, secure := s.origin(r)
	refused := func(why string, often bool) {
		s.audit(policy.Person{Name: s.shown(r.Context(), name), UID: -1, From: from}, why, often)
	}
	login, ok := passwords.Login(name)
	if !ok || len(password) == 0 || len(password) > maxPassword {
		s.Pages.Login(w, r, http.StatusUnauthorized, sayWrong, next)
		return
	}
	g, wait := s.limits.begin(clientKey(client, from), login)
	if wait > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(int(wait.Seconds())+1))
		refused("too many attempts", true)
		s.Pages.Login(w, r, http.StatusTooManyRequests, fmt.Sprintf("Too many attempts. Try again in %d minutes.", int((wait+time.Minute-1)/time.Minute)), next)
		return
	}
	a, err := s.prove(r.Context(), login, password, client)
	switch {
	case err != nil:
		s.limits.undo(g, false)
		s.trouble(err)
		refused("the password could not be checked: "+err.Error(), false)
		s.Pages.Login(w, r, http.StatusServiceUnavailable, sayBusy, next)
		return
	case a == nil:
		refused("wrong name or password, or no role", false)
		s.Pages.Login(w, r, http.StatusUnauthorized, sayWrong, next)
		return
	}
	s.limits.undo(g, true)
	s.sessions.end(tokenOf(r, secure)) // nobody goes on in a session that another has begun
	setCookie(w, s.sessions.begin(*a), secure)
	a.person.From = from
	s.audit(a.person, "", false)
	http.Redirect(w, r, next, http.StatusSeeOther)
}

// shown is a name for the audit. One that nobody has may be a password in the wrong field.
func (s *Server) shown(ctx context.Context, name string) string {
	login, ok := passwords.Login(name)
	if ok && s.Identity.Users != nil && s.Identity.Users.account(login) != nil {
		return login
	}
	if ok && s.Identity.Password != nil {
		if a, _ := s.remote(ctx, login); a != nil {
			return login
		}
	}
	return "(unknown)"
}

// prove returns the account of a name whose password is right, nil where it is not. The file goes
// first; who does not stand there is asked of somebody else.
func (s *Server) prove(ctx context.Context, login string, password []byte, client netip.Addr) (*account, error) {
	if s.Identity.Users != nil {
		a, known, err := s.Identity.Users.check(ctx, login, password)
		if err != nil || a != nil || known {
			return a, err
		}
	}
	if s.Identity.Password == nil {
		return nil, nil
	}
	name, right, err := s.Identity.Password(ctx, login, password, client)
	if err != nil || !right {
		return nil, err
	}
	a, trouble := s.remote(ctx, name)
	if trouble != nil {
		return nil, fmt.Errorf("%s", trouble.text)
	}
	return a, nil
}

func (s *Server) logout(w http.ResponseWriter, r *http.Request, _ policy.Person) {
	_, _, secure := s.origin(r)
	s.sessions.end(tokenOf(r, secure))
	setCookie(w, "", secure)
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// audit keeps who has logged in, or tried to.
func (s *Server) audit(who policy.Person, failed string, often bool) {
	if s.Audit == nil {
		return
	}
	who.Name = policy.Clean(who.Name)
	s.Audit(admin.Attempt(who, "console/login", failed, s.Clock(), often))
}
