package postfix

import (
	"fmt"
	"path"
	"strings"
)

// Service is a line of master.cf (master(5)).
type Service struct {
	// Name is what it listens at, such as smtp, 10025, 127.0.0.1:10025 or a path below the queue
	// directory. Type is inet, unix, fifo, pass or unix-dgram.
	Name, Type string
	// Chroot says that the program sees the queue directory as the root of all files.
	Chroot bool
	// Wakeup and MaxProc stand as in the line, "-" for the default.
	Wakeup, MaxProc string
	// Command is the program, and Args its arguments as postconf prints them.
	Command string
	Args    []string
	// Overrides are the parameters that "-o" sets, as they stand: ask [Postfix.Value] for what they
	// come to.
	Overrides map[string]string
}

// Key names the service in "postconf -M", -P and -F: smtp/inet.
func (s *Service) Key() string { return s.Name + "/" + s.Type }

// Port is the port of an inet service as it stands: a number or a name, "" for other types.
func (s *Service) Port() string {
	if s.Type != "inet" {
		return ""
	}
	return s.Name[strings.LastIndexByte(s.Name, ':')+1:]
}

// ParseServices reads what "postconf -M" prints.
func ParseServices(printed string) (services []*Service, err error) {
	for _, line := range lines(printed) {
		// Arguments in braces may have blanks in them.
		words := SplitBlanks(line)
		if len(words) < 8 {
			return nil, fmt.Errorf("postconf -M: %q has fewer than eight fields", line)
		}
		services = append(services, &Service{
			Name: words[0], Type: words[1],
			// "-" was y before Postfix 3.0; there is none of these any more.
			Chroot: words[4] == "y",
			Wakeup: words[5], MaxProc: words[6],
			Command: words[7], Args: words[8:],
		})
	}
	return services, nil
}

// Service returns that of a key, nil where there is none.
func (p *Postfix) Service(key string) *Service {
	for _, s := range p.Services {
		if s.Key() == key {
			return s
		}
	}
	return nil
}

// SMTPServers are the services that run smtpd, which is who asks milters.
func (p *Postfix) SMTPServers() (servers []*Service) {
	for _, s := range p.Services {
		if path.Base(s.Command) == "smtpd" {
			servers = append(servers, s)
		}
	}
	return servers
}

// Postscreens are the services that run postscreen, who hands clients over to a service of type
// pass.
func (p *Postfix) Postscreens() (services []*Service) {
	for _, s := range p.Services {
		if path.Base(s.Command) == "postscreen" {
			services = append(services, s)
		}
	}
	return services
}

// Value is what a parameter comes to for a service, with every $name expanded; service nil is for
// main.cf alone.
func (p *Postfix) Value(s *Service, name string) string {
	if s == nil || len(s.Overrides) == 0 {
		return p.Parameters[name]
	}
	if raw, ok := s.Overrides[name]; ok {
		return p.expand(s, raw)
	}
	// What main.cf sets may name what the service overrides.
	if raw, ok := p.Set[name]; ok && strings.Contains(raw, "$") {
		return p.expand(s, raw)
	}
	return p.Parameters[name]
}

// Bool is a parameter that is yes or no.
func (p *Postfix) Bool(s *Service, name string) bool {
	return strings.EqualFold(p.Value(s, name), "yes")
}
