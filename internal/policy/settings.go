package policy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"mailweir/internal/table"
)

// Settings are what several checks share.
type Settings struct {
	// Services maps {daemon_port} and {daemon_name} to services.
	Services map[string]Service
	// TrustedNets are the clients that are ours.
	TrustedNets []netip.Prefix
	// InboundRelays lists our own or forwarding hosts that pass on other people's mail.
	InboundRelays *table.List
	// LocalDomains lists the domains that are ours; Empty without --local-domains.
	LocalDomains *table.List
	// Delimiter separates an address from its extension; "" for none.
	Delimiter string
	// PermitClients and PermitSenders are the administrator's permits.
	PermitClients, PermitSenders *table.List
	// AlwaysAccept are local parts that must be reachable (RFC 5321 section 4.5.1, RFC 2142).
	AlwaysAccept []string
	// AnswerAt is StageRcpt or StageMail.
	AnswerAt Stage
	// Cap is the highest mode of any check.
	Cap Mode
	// Default is the mode of checks that have none of their own; nil where each has its default.
	Default *Mode
	// EnforceFor lists the recipients of a pilot; Empty enforces for all.
	EnforceFor *table.List
	// MonitorFor lists recipients with the checks that only monitor for them.
	MonitorFor *table.List
	// HelpURL stands at the end of every reply; "" for none.
	HelpURL string
}

// SettingsFlags are the flags behind [Settings].
type SettingsFlags struct {
	services, trusted, always                         *[]string
	relays, local, clients, senders, pilot, monitored *Tables
	delimiter, answerAt, helpURL                      *string
	cap                                               Mode
	standard                                          optionalMode
	repliesFile                                       string
}

// Delimiter is the value of --recipient-delimiter.
func (f *SettingsFlags) Delimiter() string { return *f.delimiter }

// RegisterSettings registers the flags of what several checks share. The checks are those that
// --monitor-for may name.
func RegisterSettings(f *Flags, checks ...*Check) *SettingsFlags {
	s := &SettingsFlags{cap: Enforce}
	s.services = f.Words("services", []string{"25=mx", "465=submission", "587=submission", "10026=reinject"}, "DOOR=SERVICE,…",
		"which service a {daemon_port} or {daemon_name} is: mx, submission or reinject; all others are mx")
	s.trusted = f.Words("trusted-nets", []string{"127.0.0.0/8", "::1/128"}, "NET,…", "trusted networks, like mynetworks")
	s.relays = f.Tables("inbound-relays", "backup MX, gateways and forwarders, whose address says nothing about the sender",
		table.Use{Asked: table.Clients, Values: table.Any, Bare: "OK", Opens: true})
	s.local = f.Tables("local-domains", "domains we accept mail for; sub-domains only where listed as .domain",
		table.Use{Asked: table.Domains, Values: table.Any, Bare: "OK"})
	s.delimiter = f.String("recipient-delimiter", "+", "CHARACTERS", "separates an address from its extension, as in Postfix")
	s.clients = f.Tables("permit-clients", "clients that the administrator permits", table.Use{Asked: table.Clients, Values: table.Permits, Bare: "OK", Opens: true})
	s.senders = f.Tables("permit-senders", "senders that the administrator permits, where SPF or a permitted client vouches for them",
		table.Use{Asked: table.Addresses, Values: table.Permits, Bare: "OK", Opens: true})
	s.always = f.Words("always-accept", []string{"postmaster", "abuse"}, "LOCALPART,…", "local parts that are always accepted as the only recipient")
	s.answerAt = f.String("answer-at", "rcpt", "rcpt|mail", "stage at which client and sender are refused")
	f.set.Var(&s.cap, "mode", "highest mode of all checks: monitor refuses nothing, defer only temporarily")
	f.set.Var(&s.standard, "default-mode", "mode of the checks that have none of their own (--CHECK=…), instead of the default of each; also that of fault and load. auto-allow, which refuses nothing, heeds only off")
	s.pilot = f.Tables("enforce-for", "recipients to enforce for; for all others checks only monitor",
		table.Use{Asked: table.Addresses, Values: table.Any, Bare: "OK"})
	s.monitored = f.Tables("monitor-for", "recipients for whom the named checks only monitor: CHECK,… or *",
		table.Use{Asked: table.Addresses, Values: table.Values{Name: "checks", Check: namesOf(checks)}, Bare: "*"})
	s.helpURL = f.String("help-url", "", "URL", "page that explains refusals; stands at the end of every reply")
	f.set.Var(&fileName{&s.repliesFile}, "replies", "file that overrides code, enhanced code and text of replies")
	return s
}

// Cap is the value of --mode: no check has a higher one.
func (f *SettingsFlags) Cap() Mode { return f.cap }

// DefaultMode is the value of --default-mode; false where it is not given.
func (f *SettingsFlags) DefaultMode() (Mode, bool) { return f.standard.mode, f.standard.given }

// optionalMode is a mode that need not be given.
type optionalMode struct {
	mode  Mode
	given bool
}

// String is the mode, "" where it is not given.
func (o *optionalMode) String() string {
	if !o.given {
		return ""
	}
	return o.mode.String()
}

// Type names the kind of value in help texts.
func (o *optionalMode) Type() string { return o.mode.Type() }

// Set reads the mode from a flag.
func (o *optionalMode) Set(s string) error {
	if err := o.mode.Set(s); err != nil {
		return err
	}
	o.given = true
	return nil
}

type fileName struct{ name *string }

func (f *fileName) String() string {
	if f.name == nil {
		return ""
	}
	return *f.name
}
func (f *fileName) Type() string       { return "FILE" }
func (f *fileName) Set(s string) error { *f.name = s; return nil }

// RepliesFile is the file that overrides replies; "" for none.
func (f *SettingsFlags) RepliesFile() string { return f.repliesFile }

// Build makes the settings once the flags have been read. The error is all that is wrong, with the
// flag, or file and line; what is not wrong is there all the same.
func (f *SettingsFlags) Build(tables *table.Loader) (*Settings, error) {
	s := &Settings{Delimiter: *f.delimiter, Cap: f.cap, HelpURL: *f.helpURL, AnswerAt: StageRcpt}
	if standard, given := f.DefaultMode(); given {
		s.Default = &standard
	}
	var err error
	var wrong []error
	if s.Services, err = parseServices(*f.services); err != nil {
		wrong = append(wrong, err)
	}
	if s.TrustedNets, err = ParseNets(*f.trusted); err != nil {
		wrong = append(wrong, fmt.Errorf("--trusted-nets: %w", err))
	}
	switch *f.answerAt {
	case "rcpt":
	case "mail":
		s.AnswerAt = StageMail
	default:
		wrong = append(wrong, fmt.Errorf("--answer-at: %q is neither rcpt nor mail", *f.answerAt))
	}
	if err := validHelpURL(s.HelpURL); err != nil {
		wrong = append(wrong, err)
	}
	for _, local := range *f.always {
		if bare, _, found := strings.Cut(local, "@"); found || strings.ContainsAny(local, "<>*") {
			wrong = append(wrong, fmt.Errorf("--always-accept: %q is no local part: write %s, which is accepted at every local domain", local, cmp.Or(strings.Trim(bare, "<>*"), "postmaster")))
			continue
		}
		s.AlwaysAccept = append(s.AlwaysAccept, strings.ToLower(local))
	}
	return s, errors.Join(append(wrong, f.openTables(s, tables))...)
}

func (f *SettingsFlags) openTables(s *Settings, tables *table.Loader) error {
	var errs []error
	for _, t := range []struct {
		tables  *Tables
		parents bool // example.com stands for its sub-domains, too
		list    **table.List
	}{
		{f.relays, true, &s.InboundRelays},
		{f.local, false, &s.LocalDomains},
		{f.clients, true, &s.PermitClients},
		{f.senders, true, &s.PermitSenders},
		{f.pilot, true, &s.EnforceFor},
		{f.monitored, true, &s.MonitorFor},
	} {
		options := table.ListOptions{Use: t.tables.use, Subdomains: t.parents, Delimiters: s.Delimiter}
		list, err := openTables(tables, t.tables.flag, options, t.tables.specs)
		errs = append(errs, err)
		*t.list = list
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if s.LocalDomains != nil && s.LocalDomains.Empty() {
		return fmt.Errorf("--local-domains: %s: there is no domain, so all mail would be taken for relaying; write one, or leave the flag out",
			strings.Join(s.LocalDomains.Tables(), " "))
	}
	return nil
}

func parseServices(words []string) (map[string]Service, error) {
	services := make(map[string]Service, len(words))
	for _, w := range words {
		door, name, ok := strings.Cut(w, "=")
		service := Service(name)
		if !ok || door == "" || !slices.Contains([]Service{MX, Submission, Reinject}, service) {
			return nil, fmt.Errorf("--services: %q is not DOOR=SERVICE with a service of mx, submission or reinject", w)
		}
		if before, twice := services[door]; twice && before != service {
			return nil, fmt.Errorf("--services: %s is given twice, as %s and as %s", door, before, service)
		}
		services[door] = service
	}
	return services, nil
}

// ParseNets reads addresses and nets; IPv6 may stand in brackets, as in Postfix. A net with bits
// beyond its length is an error.
func ParseNets(words []string) ([]netip.Prefix, error) {
	var nets []netip.Prefix
	for _, w := range words {
		w = strings.NewReplacer("[", "", "]", "").Replace(w)
		if a, err := netip.ParseAddr(w); err == nil {
			nets = append(nets, netip.PrefixFrom(a, a.BitLen()))
			continue
		}
		net, err := netip.ParsePrefix(w)
		if err != nil {
			return nil, fmt.Errorf("%q is neither an address nor a net such as 192.0.2.0/24", w)
		}
		if net != net.Masked() {
			return nil, fmt.Errorf("%s has bits beyond its length; write %s", net, net.Masked())
		}
		nets = append(nets, net)
	}
	return nets, nil
}

// maxHelpURL leaves most of a reply line to its text.
const maxHelpURL = 120

func validHelpURL(s string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Host == "" || Clean(s) != s || strings.ContainsAny(s, " ") || len(s) > maxHelpURL {
		return fmt.Errorf("--help-url: %q is not a URL of at most %d printable ASCII characters without brackets", s, maxHelpURL)
	}
	return nil
}

// Door returns a door of the service, for the explanation of a case. Any door that has no service
// is mx.
func (s *Settings) Door(service Service) (string, bool) {
	doors := make([]string, 0, len(s.Services))
	for door, of := range s.Services {
		if of == service {
			doors = append(doors, door)
		}
	}
	if len(doors) == 0 {
		return "", service == MX
	}
	return slices.Min(doors), true
}

// Local reports whether the domain is ours, false without --local-domains. Where that table waits,
// it is asked in a [Question.Later], and may fail; the directions of recipients are known without
// asking.
func (s *Settings) Local(ctx context.Context, domain string) (bool, error) {
	if domain == "" {
		return false, nil
	}
	match, err := s.LocalDomains.Domain(ctx, domain)
	return match.Member(), err
}
