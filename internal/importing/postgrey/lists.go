package postgrey

import (
	"context"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"mailweir/internal/importing"
	"mailweir/internal/oldmap"
	"mailweir/internal/table"
)

// file is a table that is being made: what is entered is in it once.
type file struct {
	text strings.Builder
	keys map[string]bool
	from []importing.Place
}

func (f *file) add(at importing.Place, key string) {
	if n := len(f.from); n == 0 || f.from[n-1].File != at.File {
		f.from = append(f.from, importing.Place{File: at.File})
	}
	if f.keys == nil {
		f.keys = make(map[string]bool)
	}
	if !f.keys[key] {
		f.keys[key] = true
		f.text.WriteString(key + "\tOK\n")
	}
}

// put has the table written, and named by a flag. before and after stand around its entries.
func (f *file) put(r *reading, flag, kind, name, before, after string) {
	if len(f.keys) == 0 {
		return
	}
	r.Files = append(r.Files, importing.File{Name: name, Text: before + f.text.String() + after})
	r.Flag(flag, kind+":"+r.In(name), f.from...)
}

// clients are the clients that need not wait.
type clients struct{ names, nets, patterns file }

const (
	clientsFlag    = "greylist-bypass-clients"
	recipientsFlag = "greylist-bypass-recipients"
)

var (
	clientUse    = table.ListOptions{Use: table.Use{Asked: table.Clients, Values: table.Permits, Opens: true}, Subdomains: true, Delimiters: "+"}
	recipientUse = table.ListOptions{Use: table.Use{Asked: table.Addresses, Values: table.Permits, Opens: true}, Subdomains: true, Delimiters: "+"}
)

// The forms of an entry, in the order in which postgrey tries them.
var (
	patternForm = regexp.MustCompile(`^/(\S+)/$`)
	ipv4Form    = regexp.MustCompile(`^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?:/\d{1,2})?$`)
	partForm    = regexp.MustCompile(`^\d{1,3}\.\d{1,3}(?:\.\d{1,3})?$`)
	ipv6Form    = regexp.MustCompile(`^.*:.*:.*(?:/\d{1,3})?$`)
	wordForm    = regexp.MustCompile(`^\S+$`)
	nameForm    = regexp.MustCompile(`^(?i:[a-z0-9_-]+\.)*[a-zA-Z0-9_-]+$`)
	numberForm  = regexp.MustCompile(`^[0-9.]+$`)
)

const noHost = "no host has such a name: postgrey compares it as it stands, and it lets nobody pass"

func (c *clients) line(r *reading, at importing.Place, text string) {
	odd := oldmap.OddOctets(text)
	switch {
	case odd != "":
		r.Left(at, text, "%s", odd)
	case patternForm.MatchString(text):
		c.pattern(r, at, text)
	case ipv4Form.MatchString(text), ipv6Form.MatchString(text):
		c.net(r, at, text)
	case partForm.MatchString(text):
		c.part(r, at, text)
	case !wordForm.MatchString(text):
		r.Left(at, text, "postgrey takes no line with a blank in it")
	case numberForm.MatchString(text):
		r.Left(at, text, "postgrey takes it for the end of a name, which no host has; nets are 192.0.2 or 192.0.2.0/24")
	case text[0] == '/':
		r.Left(at, text, "postgrey takes a pattern only where the line ends with /, and this for a name, which no host has")
	case !nameForm.MatchString(text):
		r.Left(at, text, noHost)
	case strings.EqualFold(text, "unknown"):
		r.Left(at, text, "these are all clients without a name, for whom greylisting is")
	default:
		c.names.add(at, strings.ToLower(text))
		r.Carried(at, text, "need not wait, with all hosts below it")
	}
}

// net takes an address or a net. postgrey forgives bits behind the length, a cidr: table does not.
func (c *clients) net(r *reading, at importing.Place, text string) {
	net, err := prefix(text)
	switch {
	case err != nil:
		r.Left(at, text, "postgrey cannot read this address either")
	case net.Addr().Is4In6():
		r.Left(at, text, "clients come by IPv4 addresses in their own form: it lets nobody pass in postgrey either")
	case net.Addr().Is6() && net.Bits() < 96 && net.Contains(netip.IPv6Unspecified()):
		r.Left(at, text, "in postgrey this has all clients by IPv4 in it")
	case net != net.Masked():
		c.nets.add(at, net.Masked().String())
		r.Changed(at, text, "is written as %s in postgrey-clients.cidr", net.Masked())
	default:
		key := net.String()
		if net.IsSingleIP() {
			key = net.Addr().String()
		}
		c.nets.add(at, key)
		r.Carried(at, text, "need not wait")
	}
}

// prefix reads an address with or without a length, strictly: zeros in front may be octal.
func prefix(text string) (netip.Prefix, error) {
	if strings.Contains(text, "/") {
		return netip.ParsePrefix(text)
	}
	address, err := netip.ParseAddr(text)
	if err != nil || address.Zone() != "" {
		return netip.Prefix{}, strconv.ErrSyntax
	}
	return netip.PrefixFrom(address, address.BitLen()), nil
}

// part takes the beginning of an IPv4 address. Of two numbers, too, postgrey makes a /24.
func (c *clients) part(r *reading, at importing.Place, text string) {
	long := text + strings.Repeat(".0", 3-strings.Count(text, "."))
	net, err := netip.ParsePrefix(long + "/24")
	if err != nil {
		r.Left(at, text, "postgrey cannot read this address either")
		return
	}
	c.nets.add(at, net.String())
	if strings.Count(text, ".") == 1 {
		r.Changed(at, text, "postgrey takes this for %s (not /16), and so it is written", net)
		return
	}
	r.Changed(at, text, "is written as %s in postgrey-clients.cidr", net)
}

// pattern takes a pattern of names. In postgrey a client without one is called unknown.
func (c *clients) pattern(r *reading, at importing.Place, text string) {
	written, own := tablePattern(text)
	if err := table.CheckLine("pcre", written+" OK", clientUse); err != nil {
		r.Left(at, text, "%v", err)
		return
	}
	one, err := table.Text("pcre", written+" OK")
	if err != nil {
		r.Left(at, text, "%v", err)
		return
	}
	c.patterns.add(at, written)
	switch match, _ := one.Lookup(context.Background(), "unknown"); {
	case match.Found():
		r.Changed(at, text, "need not wait where they have a name; postgrey calls clients without one unknown, and they wait")
	case own:
		r.Carried(at, text, "need not wait")
	default:
		r.Changed(at, text, "is written as %s in postgrey-clients.pcre", written)
	}
}

// tablePattern is a pattern as pcre_table(5) has it: a slash within it is escaped.
func tablePattern(text string) (written string, own bool) {
	inner := text[1 : len(text)-1]
	var b strings.Builder
	for i := 0; i < len(inner); i++ {
		switch {
		case inner[i] == '\\' && i+1 < len(inner):
			b.WriteString(inner[i : i+2])
			i++
		case inner[i] == '/':
			b.WriteString(`\/`)
		default:
			b.WriteByte(inner[i])
		}
	}
	written = "/" + b.String() + "/"
	return written, written == text
}

// Patterns are looked up for names and for addresses; those of postgrey are about names.
const (
	onlyNames = "# Addresses are in postgrey-clients.cidr: these are about names alone.\nif !/^[0-9.]+$|:/\n"
	endif     = "endif\n"
)

func (c *clients) write(r *reading) {
	c.names.put(r, clientsFlag, "texthash", "postgrey-clients", "", "")
	c.nets.put(r, clientsFlag, "cidr", "postgrey-clients.cidr", "", "")
	c.patterns.put(r, clientsFlag, "pcre", "postgrey-clients.pcre", onlyNames, endif)
}

// recipients are those for whom nobody waits.
type recipients struct{ addresses, patterns file }

func (p *recipients) line(r *reading, at importing.Place, text string) {
	user, domain, hasAt := strings.Cut(text, "@")
	odd := oldmap.OddOctets(text)
	switch {
	case odd != "":
		r.Left(at, text, "%s", odd)
		return
	case patternForm.MatchString(text):
		p.pattern(r, at, text)
		return
	case !wordForm.MatchString(text):
		r.Left(at, text, "postgrey takes no line with a blank in it")
		return
	case hasAt && user == "":
		r.Left(at, text, "no address begins so, and nobody passes by it in postgrey either; a domain is written without @")
		return
	case !hasAt && !strings.Contains(text, "."):
		r.Left(at, text, "postgrey takes it for a domain; a user of all domains is written %s@", text)
		return
	case (!hasAt || domain != "") && !nameForm.MatchString(domainOf(text)):
		r.Left(at, text, noHost)
		return
	}
	key := strings.ToLower(text)
	if err := table.CheckLine("texthash", key+"\tOK", recipientUse); err != nil {
		r.Left(at, text, "%v", err)
		return
	}
	p.addresses.add(at, key)
	switch {
	case !hasAt:
		r.Carried(at, text, "nobody waits for its recipients, nor for those of domains below it")
	case strings.Contains(user, "+"):
		r.Changed(at, text, "nobody waits for this recipient; in postgrey also with a further extension")
	default:
		r.Carried(at, text, "nobody waits for this recipient, with or without an extension")
	}
}

func domainOf(text string) string { return text[strings.IndexByte(text, '@')+1:] }

func (p *recipients) pattern(r *reading, at importing.Place, text string) {
	written, own := tablePattern(text)
	if err := table.CheckLine("pcre", written+" OK", recipientUse); err != nil {
		r.Left(at, text, "%v", err)
		return
	}
	p.patterns.add(at, written)
	if own {
		r.Carried(at, text, "nobody waits for such recipients")
		return
	}
	r.Changed(at, text, "is written as %s in postgrey-recipients.pcre", written)
}

func (p *recipients) write(r *reading) {
	p.addresses.put(r, recipientsFlag, "texthash", "postgrey-recipients", "", "")
	p.patterns.put(r, recipientsFlag, "pcre", "postgrey-recipients.pcre", "", "")
}
