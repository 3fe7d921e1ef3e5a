package report

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/policy"
	"mailweir/internal/record"
)

// Names of what has none.
const (
	various    = "(various)" // of decisions that were told of as one
	nullSender = "<>"
	noClient   = "(unknown)"
)

// gatherer adds entries up.
type gatherer struct {
	total Tally
	days  map[string]*Day

	checks, codes, clients, senderDomains, recipientDomains, logins, senders *top
}

func newGatherer(room int) *gatherer {
	return &gatherer{
		days: map[string]*Day{}, checks: newTop(room), codes: newTop(room), clients: newTop(room), senderDomains: newTop(room),
		recipientDomains: newTop(room), logins: newTop(room), senders: newTop(room),
	}
}

func (g *gatherer) entry(e record.Entry) {
	if e.Event != nil {
		g.event(e)
	} else if e.Message.Fate == policy.Accepted {
		g.accepted(e)
	}
}

func (g *gatherer) event(entry record.Entry) {
	e := entry.Event
	n, times := countOf(e)
	g.day(e.Time, e.Check, n)
	g.checks.add(e.Check, n)
	if code := e.Line.Code(); code != 0 {
		g.codes.add(strconv.Itoa(code)+" "+e.Line.Enhanced(), n)
	}
	client, sender := net(e.Client), entry.Sender()
	if d := e.Dedup; d != nil && times > 1 {
		if d.ClientCount > 1 && !within(d.Clients, client) {
			client = various
		}
		if d.SenderCount > 1 && d.Alike != policy.AlikeDomain {
			sender = various
		}
	}
	g.clients.add(client, n)
	g.from(sender, n)
	g.to(e.Recipients, e.Dedup != nil, n)
	g.inside(e.Login, e.Direction, sender, n)
}

func (g *gatherer) accepted(entry record.Entry) {
	m := entry.Message
	n := Tally{Accepted: 1}
	g.day(m.Ended, "", n)
	g.clients.add(net(m.Client), n)
	g.from(entry.Sender(), n)
	var recipients []string
	direction := ""
	for _, r := range m.Recipients {
		if r.Fate == policy.Accepted {
			recipients = append(recipients, r.Recipient)
			direction = cmp.Or(direction, r.Direction)
		}
	}
	g.to(recipients, false, n)
	g.inside(m.Login, direction, entry.Sender(), n)
}

func (g *gatherer) day(t time.Time, check string, n Tally) {
	g.total.add(n)
	date := t.UTC().Format(time.DateOnly)
	d := g.days[date]
	if d == nil {
		d = &Day{Date: date, Checks: map[string]Tally{}}
		g.days[date] = d
	}
	d.add(n)
	if check != "" {
		sum := d.Checks[check]
		sum.add(n)
		d.Checks[check] = sum
	}
}

// from counts the sender's domain.
func (g *gatherer) from(sender string, n Tally) {
	switch sender {
	case "":
	case nullSender, various:
		g.senderDomains.add(sender, n)
	default:
		g.senderDomains.add(cmp.Or(address.Parse(sender).Domain, sender), n)
	}
}

// to counts each recipient's domain once. How many of the decisions that were told of as one were
// about which domain is not known, unless it is one.
func (g *gatherer) to(recipients []string, folded bool, n Tally) {
	var domains []string
	for _, r := range recipients {
		a := address.Parse(r)
		if domain := cmp.Or(a.Domain, a.Key()); !slices.Contains(domains, domain) {
			if domains = append(domains, domain); folded && len(domains) > 1 {
				domains = []string{various}
				break
			}
		}
	}
	for _, domain := range domains {
		g.recipientDomains.add(domain, n)
	}
}

// inside counts who sends from inside: by his login, and by the sender of what is trusted.
func (g *gatherer) inside(login, direction, sender string, n Tally) {
	if login != "" {
		g.logins.add(strings.ToLower(login), n)
	}
	if sender != "" && (login != "" || direction == "outbound" || direction == "internal") {
		g.senders.add(sender, n)
	}
}

// net is the /24 or /64 around a client.
func net(client netip.Addr) string {
	if !client.IsValid() {
		return noClient
	}
	client = client.Unmap().WithZone("")
	bits := 24
	if client.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(client, bits).Masked().String()
}

// within reports whether all clients are in one net.
func within(clients []netip.Addr, of string) bool {
	return !slices.ContainsFunc(clients, func(c netip.Addr) bool { return net(c) != of })
}

func (g *gatherer) report(o Options) *Report {
	r := &Report{
		Version: Version, Since: o.Since, Until: o.Until, Total: g.total, Days: []Day{},
		Checks: g.checks.rows(o.Top), Codes: g.codes.rows(o.Top), Clients: g.clients.rows(o.Top), SenderDomains: g.senderDomains.rows(o.Top),
		RecipientDomains: g.recipientDomains.rows(o.Top), Logins: g.logins.rows(o.Top), Senders: g.senders.rows(o.Top),
	}
	for _, date := range slices.Sorted(maps.Keys(g.days)) {
		r.Days = append(r.Days, *g.days[date])
	}
	return r
}
