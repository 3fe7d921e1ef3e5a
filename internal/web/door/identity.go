package door

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"mailweir/internal/admin"
	"mailweir/internal/policy"
)

// Identity is how the console finds out who asks: by the user of the host at the other end of a
// socket, by the header of a proxy, or by name and password.
type Identity struct {
	// Users is --console-users, nil without.
	Users *Users
	// Password asks somebody else about a name that is not in Users, such as Dovecot; nil asks
	// nobody. An error means that nobody knows. The name that it returns is the one that counts.
	Password func(ctx context.Context, name string, password []byte, client netip.Addr) (login string, right bool, err error)
	// Proxies are the nets of proxies that say who asks, in a header of that name; ProxyUIDs are
	// users of this host who do, over a socket.
	Proxies   []netip.Prefix
	ProxyUIDs []int
	Header    string
	// Roles tells what those may do whom no file of ours lists: a login, or uid:NAME.
	Roles *Roles
}

// asks reports whether there is anybody who knows passwords.
func (i *Identity) asks() bool { return i.Users != nil || i.Password != nil }

// visitor is who asks, and by what that is known.
type visitor struct {
	policy.Person
	token string // of the session, "" without
}

// account is somebody who may come in, as he is known now.
type account struct {
	person policy.Person
	// source says who knows him. stamp changes with his password and role, so that a session from
	// before comes to its end.
	source source
	stamp  string
}

type source uint8

const (
	fromUsers source = iota
	fromPassword
)

// problem is why somebody is not let in, for himself.
type problem struct {
	status int
	text   string
}

type peerKey struct{}

// withPeer notes who is at the other end of a socket, in the context of its requests.
func withPeer(ctx context.Context, c net.Conn) context.Context {
	if uid, err := admin.PeerUID(c); err == nil {
		return context.WithValue(ctx, peerKey{}, uid)
	}
	return ctx
}

// client is the address that a request comes from, not valid over a socket. trusted says that it is
// that of a proxy which may say who asks.
func (s *Server) client(r *http.Request) (client netip.Addr, trusted bool) {
	if uid, ok := r.Context().Value(peerKey{}).(int); ok {
		return netip.Addr{}, slices.Contains(s.Identity.ProxyUIDs, uid)
	}
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, false
	}
	client = at.Addr().Unmap()
	return client, slices.ContainsFunc(s.Identity.Proxies, func(p netip.Prefix) bool { return p.Contains(client) })
}

// origin is where a request comes from before any proxy that is believed, and whether the browser
// speaks TLS.
func (s *Server) origin(r *http.Request) (client netip.Addr, from string, secure bool) {
	client, trusted := s.client(r)
	secure = r.TLS != nil
	if trusted {
		secure = strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
		// The last one is what the proxy itself has seen; others may be anybody's invention.
		forwarded := r.Header.Values("X-Forwarded-For")
		if len(forwarded) > 0 {
			all := strings.Split(forwarded[len(forwarded)-1], ",")
			if a, err := netip.ParseAddr(strings.TrimSpace(all[len(all)-1])); err == nil {
				client = a.Unmap().WithZone("")
			}
		}
	}
	if !client.IsValid() {
		from = "console socket"
		if uid, ok := r.Context().Value(peerKey{}).(int); ok && !trusted {
			from += " of uid " + strconv.Itoa(uid)
		}
		return client, from, secure
	}
	return client, "console from " + client.String(), secure
}

// identify finds out who asks, nil for nobody that is known.
func (s *Server) identify(r *http.Request) (*visitor, *problem) { return s.whoIs(r, true) }

// still reports whether somebody who follows a stream may still see it, and as much of it.
func (s *Server) still(r *http.Request, who *visitor) bool {
	now, trouble := s.whoIs(r, false)
	return trouble == nil && now != nil && now.Name == who.Name && stampOf(now.Person) == stampOf(who.Person) && now.token == who.token
}

func (s *Server) whoIs(r *http.Request, used bool) (*visitor, *problem) {
	_, trusted := s.client(r)
	_, from, secure := s.origin(r)
	if trusted {
		if names := r.Header.Values(s.Identity.Header); len(names) > 0 {
			return s.byHeader(r, names, from)
		}
	} else if uid, ok := r.Context().Value(peerKey{}).(int); ok {
		if who, trouble := s.byUID(r, uid, from); who != nil || trouble != nil {
			return who, trouble
		}
	}
	token := tokenOf(r, secure)
	if token == "" {
		return nil, nil
	}
	return s.bySession(r.Context(), token, from, used)
}

// byHeader takes a proxy's word for who asks.
func (s *Server) byHeader(r *http.Request, names []string, from string) (*visitor, *problem) {
	name := strings.TrimSpace(names[0])
	if len(names) != 1 || name == "" || policy.Clean(name) != name || strings.Contains(name, ":") || len(name) > maxName {
		return nil, &problem{http.StatusBadRequest, "the proxy does not say clearly who you are (header " + s.Identity.Header + ")"}
	}
	return s.byRole(r.Context(), name, policy.Person{Name: name, UID: -1, From: from + ", by its proxy"})
}

// byUID takes the kernel's word. Root and the user that mailweir runs as could do everything by
// other ways, too.
func (s *Server) byUID(r *http.Request, uid int, from string) (*visitor, *problem) {
	who := admin.Local(uid, from)
	if uid == 0 || uid == os.Geteuid() {
		return &visitor{Person: who}, nil
	}
	who.Role = ""
	if s.Identity.Roles == nil {
		return s.withoutRole(uid)
	}
	key := strconv.Itoa(uid)
	if u, err := user.LookupId(key); err == nil {
		key = u.Username
	}
	found, trouble := s.byRole(r.Context(), "uid:"+key, who)
	if found == nil && trouble != nil && trouble.status == http.StatusForbidden {
		return s.withoutRole(uid)
	}
	return found, trouble
}

// withoutRole is about a user of this host without a role: he may log in, where that is possible.
func (s *Server) withoutRole(uid int) (*visitor, *problem) {
	if s.Identity.asks() {
		return nil, nil
	}
	return nil, &problem{http.StatusForbidden, "uid " + strconv.Itoa(uid) + " has no role here; --console-roles can give it one (uid:NAME)"}
}

// byRole looks up what somebody may do.
func (s *Server) byRole(ctx context.Context, key string, who policy.Person) (*visitor, *problem) {
	if s.Identity.Roles == nil {
		return nil, &problem{http.StatusForbidden, policy.Clean(who.Name) + " has no role here; --console-roles gives one"}
	}
	who, err := s.Identity.Roles.give(ctx, key, who)
	switch {
	case errors.Is(err, errNoRole):
		return nil, &problem{http.StatusForbidden, policy.Clean(who.Name) + " has no role here; --console-roles gives one"}
	case err != nil:
		s.trouble(err)
		return nil, &problem{http.StatusServiceUnavailable, "what you may do cannot be found out now; try again later"}
	}
	return &visitor{Person: who}, nil
}

// bySession finds who has logged in, as he is known now.
func (s *Server) bySession(ctx context.Context, token, from string, used bool) (*visitor, *problem) {
	open, ok := s.sessions.find(token, used)
	if !ok {
		return nil, nil
	}
	now, trouble := s.again(ctx, open.account)
	switch {
	case trouble != nil:
		return nil, trouble
	case now == nil || now.stamp != open.account.stamp:
		s.sessions.end(token)
		return nil, nil
	}
	now.person.From = from
	return &visitor{Person: now.person, token: token}, nil
}

// again looks an account up as it is now, nil where it is no more.
func (s *Server) again(ctx context.Context, a account) (*account, *problem) {
	if a.source == fromUsers {
		if s.Identity.Users == nil {
			return nil, nil
		}
		return s.Identity.Users.account(a.person.Name), nil
	}
	return s.remote(ctx, a.person.Name)
}

// remote is the account of a name whose password somebody else knows.
func (s *Server) remote(ctx context.Context, name string) (*account, *problem) {
	if strings.Contains(name, ":") { // a colon is for users of the host
		return nil, nil
	}
	who, trouble := s.byRole(ctx, name, policy.Person{Name: name, UID: -1})
	if trouble != nil {
		if trouble.status == http.StatusForbidden {
			return nil, nil
		}
		return nil, trouble
	}
	return &account{person: who.Person, source: fromPassword, stamp: stampOf(who.Person)}, nil
}
