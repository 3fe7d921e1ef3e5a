package headerchecks

import (
	"path"
	"slices"

	"mailweir/internal/mta/postfix"
)

// coverage is which mail the tables of main.cf are asked about.
type coverage uint8

const (
	everybody   coverage = iota
	inboundOnly          // not what users hand in: that goes another way
	nobody
)

// covered finds out whose mail is held against header_checks of main.cf: of the services that take
// mail, each may go through another cleanup(8) or leave it out.
func (r *reader) covered() coverage {
	from, asked, without := 0, 0, false
	for _, s := range r.in.Postfix.SMTPServers() {
		checks := r.checks(s)
		switch {
		case isReinject(s):
		case isSubmission(s):
			without = without || !checks
		default:
			from++
			if checks {
				asked++
			}
		}
	}
	switch {
	case from > 0 && asked == 0:
		return nobody
	case without:
		return inboundOnly
	}
	return everybody
}

// checks reports whether mail through a service is held against the tables of main.cf.
func (r *reader) checks(s *postfix.Service) bool {
	p := r.in.Postfix
	if slices.Contains(postfix.SplitList(p.Value(s, "receive_override_options")), "no_header_body_checks") {
		return false
	}
	cleanup := p.Service(p.Value(s, "cleanup_service_name") + "/unix")
	if cleanup == nil {
		return true
	}
	for _, parameter := range []string{"header_checks", "body_checks"} {
		if p.Value(cleanup, parameter) != p.Value(nil, parameter) {
			return false
		}
	}
	return true
}

// isSubmission tells the services at which users hand mail in.
func isSubmission(s *postfix.Service) bool {
	switch s.Port() {
	case "submission", "587", "submissions", "smtps", "465":
		return true
	}
	return s.Overrides["smtpd_tls_wrappermode"] == "yes" || s.Overrides["smtpd_sasl_auth_enable"] == "yes"
}

// isReinject tells the services at which a content filter hands mail back.
func isReinject(s *postfix.Service) bool {
	filter, overrides := s.Overrides["content_filter"]
	return path.Base(s.Command) == "smtpd" && overrides && filter == ""
}
