package doctor

import (
	"net"
	"path/filepath"
	"strconv"
	"strings"

	"mailweir/internal/mta/postfix"
)

// asking is a service of Postfix and its entry for mailweir.
type asking struct {
	*Postfix
	service *postfix.Service
	entry   postfix.Milter
}

// label names the service in a finding: with its instance where that is not the usual one.
func (p *Postfix) label(s *postfix.Service) string {
	key := "main.cf"
	if s != nil {
		key = s.Key()
	}
	if p.Name != "" {
		key = p.Name + " " + key
	}
	return key
}

func (a asking) subject() string { return a.label(a.service) }

// value is what a parameter comes to for the service.
func (a asking) value(name string) string { return a.Value(a.service, name) }

// option is what the entry says, or the parameter milter_NAME that it stands in for.
func (a asking) option(name string) string {
	if v, found := a.entry.Option(name); found {
		return v
	}
	return a.value("milter_" + name)
}

// askers are the services of all instances that ask mailweir about mail.
func (f *Facts) askers() (all []asking) {
	for _, p := range f.Postfix {
		for _, s := range p.SMTPServers() {
			if p.overridden(s, "no_milters") {
				continue
			}
			if m, found := f.ours(p, s, "smtpd_milters"); found {
				all = append(all, asking{p, s, m})
			}
		}
	}
	return all
}

// attached reports whether any mail server asks mailweir.
func (f *Facts) attached() bool { return len(f.askers()) > 0 || f.filter() != nil }

// overridden reports whether receive_override_options of a service has a word.
func (p *Postfix) overridden(s *postfix.Service, word string) bool {
	return has(postfix.SplitList(p.Value(s, "receive_override_options")), word)
}

func has(words []string, word string) bool {
	for _, w := range words {
		if strings.EqualFold(w, word) {
			return true
		}
	}
	return false
}

// ours is the entry for mailweir in a list of milters.
func (f *Facts) ours(p *Postfix, s *postfix.Service, parameter string) (postfix.Milter, bool) {
	milters, _ := postfix.ParseMilters(p.Value(s, parameter)) // what is wrong has an examination of its own
	for _, m := range milters {
		at, err := p.place(s, m)
		if err != nil {
			continue
		}
		// Written as if there were no chroot, it is meant all the same.
		if e, _ := postfix.ParseEndpoint(m.Address); f.listens(at) || e.Path != "" && f.listens(place{path: e.Path}) {
			return m, true
		}
	}
	return postfix.Milter{}, false
}

// place is where a service looks for a milter, as the whole host sees it: Postfix's programs run in
// the queue directory, and where they are chrooted, it is the root of all paths.
func (p *Postfix) place(s *postfix.Service, m postfix.Milter) (place, error) {
	e, err := postfix.ParseEndpoint(m.Address)
	if err != nil {
		return place{}, err
	}
	if e.Path == "" {
		return place{host: e.Host, port: e.Port}, nil
	}
	if !filepath.IsAbs(e.Path) || s != nil && s.Chroot {
		return place{path: filepath.Join(p.Parameters["queue_directory"], e.Path)}, nil
	}
	return place{path: e.Path}, nil
}

// Kinds of services, as --services has them.
const (
	mx         = "mx"
	submission = "submission"
	reinject   = "reinject"
)

// kind is what a service is for, by its port or name as --services says; mx where that says
// nothing.
func (f *Facts) kind(p *Postfix, s *postfix.Service) string {
	if name := p.Value(s, "milter_macro_daemon_name"); f.Config.Services[name] != "" {
		return f.Config.Services[name]
	}
	port := s.Port()
	if n, err := net.LookupPort("tcp", port); err == nil && port != "" {
		port = strconv.Itoa(n)
	}
	if kind := f.Config.Services[port]; kind != "" {
		return kind
	}
	return mx
}

// inside reports whether only programs of this host reach the service.
func inside(s *postfix.Service) bool {
	i := strings.LastIndexByte(s.Name, ':')
	return s.Type == "unix" || s.Type == "inet" && i > 0 && loopback(strings.Trim(s.Name[:i], "[]"))
}
