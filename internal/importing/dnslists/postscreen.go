package dnslists

import (
	"fmt"
	"strconv"
	"strings"

	"mailweir/internal/importing"
	"mailweir/internal/mta/postfix"
)

// postscreen is the service that asks the lists; nil where none is in master.cf.
func (g *reading) postscreen() *postfix.Service {
	services := g.in.Postfix.Postscreens()
	if len(services) == 0 {
		return nil
	}
	return services[0]
}

// readPostscreen reads the sites of postscreen, and what goes with them.
func (g *reading) readPostscreen() {
	service := g.postscreen()
	value := func(name string) string { return g.in.Postfix.Value(service, name) }
	sites := postfix.SplitList(value("postscreen_dnsbl_sites"))
	scale, why := g.scale(value("postscreen_dnsbl_threshold"), len(sites) > 0 && service != nil)
	if service == nil {
		why = "no postscreen runs: master.cf has no such service"
	}
	ignored := strings.EqualFold(value("postscreen_dnsbl_action"), "ignore")
	for _, site := range sites {
		g.readSite(site, g.in.At(service, "postscreen_dnsbl_sites", site), scale, ignored, why)
	}
	if len(g.screened) > 0 {
		g.r.Doubles = append(g.r.Doubles, g.screenedDouble(service))
	}
	g.readSettings(service, scale, ignored)
}

// screenedDouble takes the sites out, unless they let clients past postscreen's own tests, too:
// then postscreen goes on asking, and nothing comes of it.
func (g *reading) screenedDouble(service *postfix.Service) importing.Double {
	for _, name := range []string{"postscreen_dnsbl_allowlist_threshold", "postscreen_dnsbl_whitelist_threshold"} {
		const action = "postscreen_dnsbl_action"
		if n, err := strconv.Atoi(g.in.Postfix.Value(service, name)); err == nil && n < 0 {
			return importing.Double{Service: overriding(service, action), Parameter: action, Instead: "ignore"}
		}
	}
	const sites = "postscreen_dnsbl_sites"
	return importing.Double{Service: overriding(service, sites), Parameter: sites}
}

// overriding is the key of a service that has a parameter of its own, "" for main.cf.
func overriding(s *postfix.Service, parameter string) string {
	if s == nil {
		return ""
	}
	if _, own := s.Overrides[parameter]; own {
		return s.Key()
	}
	return ""
}

// givenThreshold is the one that mailweir's own lists are compared with, 0 where it has neither a
// threshold nor a list.
func (g *reading) givenThreshold() int {
	if given := g.in.Given("rbl-threshold"); len(given) > 0 {
		n, _ := strconv.Atoi(given[len(given)-1]) // it has been found valid
		return n
	}
	if len(g.in.Given("rbl-zone"))+len(g.in.Given("rhsbl-zone")) > 0 {
		return 1
	}
	return 0
}

// scale finds the threshold, and what the weights of postscreen are multiplied with to fit it; why
// says why they do not.
func (g *reading) scale(threshold string, needed bool) (factor int, why string) {
	own, err := strconv.Atoi(threshold)
	given := g.givenThreshold()
	g.threshold = max(1, given)
	switch {
	case !needed:
	case err != nil || own < 1 || own > mostSum:
		why = fmt.Sprintf("postscreen_dnsbl_threshold = %s is no threshold for a sum of weights", threshold)
	case given == 0:
		g.threshold, factor = own, 1
	case given%own == 0:
		factor = given / own
	default:
		why = fmt.Sprintf("mailweir's own lists are compared with rbl-threshold = %d, and these with %d: set that one, weigh your lists again, and import again", given, own)
	}
	return factor, why
}

// readSite reads ZONE[=FILTER][*WEIGHT].
func (g *reading) readSite(text string, at importing.Place, scale int, ignored bool, why string) {
	site, number, weighted := strings.Cut(text, "*")
	l := g.parse(site, at)
	l.where, l.watched = "postscreen_dnsbl_sites", ignored
	if weighted {
		l.text += "*" + number
		var err error
		if l.weight, err = strconv.Atoi(number); err != nil || l.weight < -mostSum || l.weight > mostSum {
			why = "the weight behind * is no whole number"
		}
	}
	if l.weight *= scale; why != "" {
		g.leave(l, why)
		return
	}
	g.add(&g.screened, l)
}

// readSettings accounts for the parameters beside the sites, as far as they are set.
func (g *reading) readSettings(service *postfix.Service, scale int, ignored bool) {
	for _, s := range []struct{ name, carried, changed, left string }{
		{name: "postscreen_dnsbl_threshold", carried: fmt.Sprintf("rbl-threshold = %d", g.threshold)},
		{name: "postscreen_dnsbl_action", changed: "mailweir answers each recipient, once the check is enforced"},
		{name: "postscreen_dnsbl_timeout", left: "mailweir waits 3s for all lists together (rbl-timeout), and leaves out one that does not answer"},
		{name: "postscreen_dnsbl_allowlist_threshold", left: allowlist},
		{name: "postscreen_dnsbl_whitelist_threshold", left: allowlist},
		{name: "postscreen_dnsbl_ttl", left: kept},
		{name: "postscreen_dnsbl_min_ttl", left: kept},
		{name: "postscreen_dnsbl_max_ttl", left: kept},
	} {
		if _, set := g.in.Postfix.Set[s.name]; !set && overriding(service, s.name) == "" {
			continue
		}
		at, text := g.in.At(service, s.name), s.name+" = "+g.in.Postfix.Value(service, s.name)
		switch {
		case service == nil:
			g.r.Left(at, text, "no postscreen runs")
		case s.name == "postscreen_dnsbl_action" && ignored:
			g.r.Carried(at, text, "its lists are only watched (rbl-monitor-zone)")
		case s.carried != "" && len(g.screened) == 0:
			g.r.Left(at, text, "none of its lists is carried over")
		case s.carried != "" && scale != 1:
			g.r.Changed(at, text, "%s, and the weights are multiplied by %d to fit it", s.carried, scale)
		case s.carried != "":
			g.r.Carried(at, text, "%s", s.carried)
		case s.changed != "":
			g.r.Changed(at, text, "%s", s.changed)
		default:
			g.r.Left(at, text, "%s", s.left)
		}
	}
}

const (
	allowlist = "it is about postscreen's own tests, which stay with Postfix and need postscreen_dnsbl_sites for it"
	kept      = "mailweir keeps an answer as long as the list says"
)
