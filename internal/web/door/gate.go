package door

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// gate lets those in to a route who may. The role is looked at here, and nowhere else.
func (s *Server) gate(route Route) http.Handler {
	limit := route.Body
	if limit == 0 {
		limit = defaultBody
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		who, err := s.identify(r)
		switch {
		case route.May == nil:
			if err != nil || who == nil {
				who = &visitor{}
			}
		case err != nil:
			s.refuse(w, r, nil, err.status, err.text)
			return
		case who == nil:
			s.unknown(w, r)
			return
		case !slices.Contains(route.May, who.Role):
			s.refuse(w, r, who, http.StatusForbidden, "the role "+string(who.Role)+" may not see or do that")
			return
		case route.Whole && who.Remit != nil:
			s.refuse(w, r, who, http.StatusForbidden, "that concerns everybody's mail, and yours is that of some recipients only")
			return
		}
		if who.token != "" {
			r = r.WithContext(context.WithValue(r.Context(), loggedInKey{}, true))
		}
		if route.Stream {
			s.stream(w, r, who, route.Handle)
			return
		}
		route.Handle(w, r, who.Person)
	})
}

// unknown answers who is not logged in, and needs to be.
func (s *Server) unknown(w http.ResponseWriter, r *http.Request) {
	if !s.Identity.asks() {
		s.refuse(w, r, nil, http.StatusForbidden, "the console does not know who you are; see docs/operate/console.md")
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		s.Pages.Login(w, r, http.StatusUnauthorized, "You have been logged out, and nothing was done: log in and do it again.", "")
		return
	}
	http.Redirect(w, r, "/login?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
}

// ownPath returns a path of this server to go on to, "/" for anything else: another site may have
// written it.
func ownPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(next, "/") ||
		strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") || strings.HasPrefix(u.Path, "/login") || strings.HasPrefix(u.Path, "//") {
		return "/"
	}
	return next
}

type loggedInKey struct{}

// LoggedIn reports whether the visitor has logged in here, so that he can log out.
func LoggedIn(r *http.Request) bool { return r.Context().Value(loggedInKey{}) != nil }
