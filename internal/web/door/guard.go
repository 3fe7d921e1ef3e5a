package door

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
)

// contentPolicy lets a page have nothing but what this server gives it, and no script or style in
// its text.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

// guard is what every request goes through, before anybody looks at its path: which name the
// browser calls the server by (another site may have given its own name our address), and whether
// another site sends the request.
func (s *Server) guard(next http.Handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.refuse(w, r, nil, http.StatusForbidden, "another site has sent this request; open the console itself and do it there")
	}))
	guarded := origin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer s.recovered(w)
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !s.hosts.has(r.Host) {
			http.Error(w, "the console is not called by that name: open it by its address, or name it with --console-host", http.StatusMisdirectedRequest)
			return
		}
		if !s.private(r) {
			http.Error(w, "passwords would pass here in clear: come by the proxy of the console", http.StatusForbidden)
			return
		}
		if _, trusted := s.client(r); !trusted && s.Identity.Header != "" {
			r.Header.Del(s.Identity.Header) // nobody else says who asks
		}
		guarded.ServeHTTP(w, r)
	})
}

// recovered makes a panic one of this request, and of nothing else.
func (s *Server) recovered(w http.ResponseWriter) {
	switch p := recover(); p {
	case nil:
	case http.ErrAbortHandler:
		panic(p)
	default:
		s.Defect(fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		http.Error(w, "a defect of mailweir; the log has more", http.StatusInternalServerError)
	}
}

// private reports whether nobody on the way can read what passes, or a proxy of ours sees to that.
func (s *Server) private(r *http.Request) bool {
	client, trusted := s.client(r)
	return r.TLS != nil || trusted || !client.IsValid() || client.IsLoopback()
}

// refuse shows why something is not shown or not done.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, who *visitor, status int, text string) {
	if who == nil {
		s.Pages.Error(w, r, nil, status, text)
		return
	}
	s.Pages.Error(w, r, &who.Person, status, text)
}

// hosts are the names by which a browser may call the server.
type hosts []string

// newHosts are the names that somebody gave, the address itself, and localhost where that is one of
// loopback, or a socket.
func newHosts(at net.Addr, names []string) hosts {
	h := hosts{}
	for _, name := range names {
		h = append(h, normalHost(name))
	}
	tcp, ok := at.(*net.TCPAddr)
	if !ok || tcp.IP.IsLoopback() {
		h = append(h, "localhost", "127.0.0.1", "::1")
	}
	if ok && !tcp.IP.IsUnspecified() {
		h = append(h, tcp.AddrPort().Addr().Unmap().String())
	}
	return h
}

// has reports whether the server is called so. The port does not matter: a proxy may have another.
func (h hosts) has(host string) bool { return slices.Contains(h, normalHost(host)) }

func normalHost(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap().String()
	}
	return host
}
