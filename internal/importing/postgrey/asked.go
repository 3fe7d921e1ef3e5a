package postgrey

import (
	"net"
	"net/netip"
	"path"
	"strings"

	"mailweir/internal/importing"
	"mailweir/internal/mta/postfix"
)

// asked accounts for where Postfix asks postgrey: it asks mailweir as a milter instead.
func (r *reading) asked() {
	if r.Postfix == nil {
		return
	}
	for _, one := range r.Postfix.Restrictions() {
		if one.Name != "check_policy_service" || !r.options.listensAt(r.Postfix, one.Service, one.Argument) {
			continue
		}
		r.Changed(r.At(one.Service, one.Parameter, one.Argument), one.Text,
			"mailweir asks by itself; senders for whom SPF passes no longer wait (--greylist-skip-spf)")
		double := importing.Double{Parameter: one.Parameter, Words: one.Words}
		if one.Service != nil {
			double.Service = one.Service.Key()
		}
		r.Doubles = append(r.Doubles, double)
	}
}

// listensAt reports whether a policy service is this postgrey.
func (o *options) listensAt(p *postfix.Postfix, s *postfix.Service, argument string) bool {
	if inner, braces := strings.CutPrefix(argument, "{"); braces {
		words := postfix.SplitList(strings.TrimSuffix(inner, "}"))
		if len(words) == 0 {
			return false
		}
		argument = words[0]
	}
	kind, where, _ := strings.Cut(argument, ":")
	switch kind {
	case "inet":
		host, port, err := net.SplitHostPort(where)
		if err != nil {
			host, port = "", where
		}
		ownHost, ownPort, err := net.SplitHostPort(o.inet)
		if err != nil {
			ownHost, ownPort = "", o.inet
		}
		if o.inet == "" && o.unix == "" {
			ownPort = usualPort
		}
		return port == ownPort && sameHost(host, ownHost)
	case "unix":
		if !path.IsAbs(where) {
			where = path.Join(p.Value(s, "queue_directory"), where)
		}
		if o.unix == "" {
			return o.inet == "" && strings.Contains(where, "postgrey")
		}
		return path.Clean(where) == path.Clean(o.unix)
	}
	return false
}

// usualPort is that of Debian.
const usualPort = "10023"

func sameHost(a, b string) bool { return strings.EqualFold(a, b) || isLoopback(a) && isLoopback(b) }

func isLoopback(host string) bool {
	if host == "" || strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}
