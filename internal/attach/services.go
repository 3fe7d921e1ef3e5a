package attach

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"mailweir/internal/mta/postfix"
)

// kind is what a service of master.cf is for, in the words of --services.
type kind string

const (
	mx         kind = "mx"
	submission kind = "submission"
	reinject   kind = "reinject"
)

// usualServices are those that --services has unless told otherwise.
var usualServices = []door{{25, mx}, {465, submission}, {587, submission}, {10026, reinject}}

// door is a port and what it is for.
type door struct {
	port int
	kind kind
}

// server is a service that runs smtpd.
type server struct {
	*postfix.Service
	kind kind
	// port is 0 for a service behind postscreen, whose clients came to its port.
	port int
}

// servers are the services that run smtpd, each with what it is for.
func servers(p *postfix.Postfix) (all []server) {
	for _, s := range p.SMTPServers() {
		if s.Type != "inet" && s.Type != "pass" {
			continue
		}
		one := server{Service: s, port: portNumber(s.Port())}
		switch {
		case one.port == 465 || one.port == 587:
			one.kind = submission
		case isReinjection(p, s) && one.port != 25:
			one.kind = reinject
		case isSubmission(p, s) && one.port != 25 && s.Type == "inet":
			one.kind = submission
		default:
			one.kind = mx
		}
		all = append(all, one)
	}
	return all
}

// portNumber reads a port as master.cf has it, 0 where it names none.
func portNumber(port string) int {
	switch port {
	case "":
		return 0
	case "smtp":
		return 25
	case "submission":
		return 587
	case "submissions", "smtps", "urd":
		return 465
	}
	if n, err := strconv.Atoi(port); err == nil {
		return n
	}
	n, err := net.LookupPort("tcp", port)
	if err != nil {
		return 0
	}
	return n
}

// isReinjection tells the way back from a content filter by what such a service has in Postfix's
// FILTER_README: it listens to this host alone, and does not filter again.
func isReinjection(p *postfix.Postfix, s *postfix.Service) bool {
	if !onLoopback(s.Name) {
		return false
	}
	if filter, own := s.Overrides["content_filter"]; own && strings.TrimSpace(filter) == "" {
		return true
	}
	options := postfix.SplitList(p.Value(s, "receive_override_options"))
	return slices.Contains(options, "no_milters") || slices.Contains(options, "no_header_body_checks")
}

func onLoopback(name string) bool {
	host, _, err := net.SplitHostPort(name)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// isSubmission tells a service for users: it wants a login of everybody.
func isSubmission(p *postfix.Postfix, s *postfix.Service) bool {
	if s.Overrides["smtpd_sasl_auth_enable"] != "yes" {
		return false
	}
	if strings.EqualFold(s.Overrides["milter_macro_daemon_name"], "ORIGINATING") {
		return true
	}
	for _, name := range []string{"smtpd_client_restrictions", "smtpd_relay_restrictions", "smtpd_recipient_restrictions"} {
		words := postfix.SplitList(p.Value(s, name))
		if slices.Contains(words, "permit_sasl_authenticated") && words[len(words)-1] == "reject" {
			if _, own := s.Overrides[name]; own {
				return true
			}
		}
	}
	return false
}

// proposeServices writes --services where ports differ from its default.
func proposeServices(p *Proposal, all []server) {
	doors := slices.Clone(usualServices)
	for _, s := range all {
		if s.port == 0 {
			continue
		}
		i := slices.IndexFunc(doors, func(d door) bool { return d.port == s.port })
		switch {
		case i >= 0 && doors[i].kind == mx:
		case i >= 0:
			doors[i].kind = s.kind
		case s.kind != mx: // what is not named is mx
			doors = append(doors, door{s.port, s.kind})
		}
	}
	if slices.Equal(doors, usualServices) {
		return
	}
	words := make([]string, len(doors))
	for i, d := range doors {
		words[i] = fmt.Sprintf("%d=%s", d.port, d.kind)
	}
	p.line("services", strings.Join(words, ","), "what master.cf's ports are for")
}
