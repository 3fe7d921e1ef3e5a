package doctor

import (
	"strings"

	"mailweir/rbl"
)

const aboutOutside = "What mailweir asks outside"

func outsideExaminations() []Examination {
	return []Examination{
		{
			ID: "resolver", About: aboutOutside, Title: "The DNS resolver, where DNS lists are asked",
			Meaning: "DNS lists answer nobody who asks through a public resolver, or who shares one with many others: they answer an error code, or that nothing is listed.",
			Remedy:  "A recursive resolver of this host's own (unbound, knot-resolver), which forwards to nobody: `--dns=127.0.0.1`.",
			Examine: examineResolver,
		},
		{
			ID: "dns-lists", About: aboutOutside, Title: "DNS lists",
			Meaning: "Each list that is configured has been asked, through the resolver, for the entries that every list must and must not have (RFC 5782 section 5).",
			Remedy:  "`mailweir rbl test ZONE` asks again. A list that fails is not asked about mail until its test succeeds.",
			Examine: examineLists,
		},
		{
			ID: "scanners", About: aboutOutside, Title: "Scanners",
			Meaning: "Each virus scanner has been sent EICAR and each spam scanner GTUBE, which all of them must object to. One that calls them clean does not scan, or scans with no signatures.",
			Remedy:  "Look at the scanner: its signatures, its size limits, its socket.",
			Examine: examineScanners,
		},
		{
			ID: "backends", About: aboutOutside, Title: "Directories, databases and next servers",
			Meaning: "What tables and recipients are looked up in has been asked whether it works, as `mailweir backends test` does.",
			Remedy:  "Mend what does not answer: until then checks do as their on-error says.",
			Examine: examineBackends,
		},
		{
			ID: "relays", About: aboutOutside, Title: "Mail servers in front of this one",
			Meaning: "Most mail comes from one client that is neither trusted nor in `--inbound-relays`: a backup MX, a gateway or a forwarding service. Checks that judge the client judge it in the place of all senders.",
			Remedy:  "Name it in `--inbound-relays`, or `--trusted-nets` if it is one of your own that sends your users' mail.",
			Examine: examineRelays,
		},
	}
}

// own is the command that installs a resolver of the host's own.
const ownResolver = "apt install unbound"

func examineResolver(f *Facts) (found []Finding) {
	if len(f.Config.Zones) == 0 {
		return nil
	}
	for _, server := range f.Servers {
		if whose := rbl.PublicResolver(server); whose != "" {
			found = append(found, fault(server, ownResolver+", then --dns=127.0.0.1", "a public resolver (%s): DNS lists refuse its questions", whose))
		}
	}
	for _, l := range f.Lists {
		if l.Cause == CauseRefused {
			found = append(found, fault("", ownResolver+", then --dns=127.0.0.1", "%s refuses to answer through %s: a public or shared resolver, or too many questions", l.Name, strings.Join(f.Servers, " ")))
			break
		}
	}
	if len(found) == 0 && len(f.Servers) > 0 {
		found = append(found, ok("", "%s", strings.Join(f.Servers, " ")))
	}
	return found
}

// Causes of what a DNS list said.
const (
	// CauseRefused: it says by its answer that it does not answer through this resolver.
	CauseRefused = "refused"
	// CauseSilent: nothing that could be judged came back.
	CauseSilent = "silent"
)

func examineLists(f *Facts) (found []Finding) {
	for _, l := range f.Lists {
		switch {
		case l.Err == nil:
			found = append(found, ok(l.Name, "has its test entries"))
		case l.Cause == CauseSilent:
			found = append(found, unknown(l.Name, "mailweir rbl test "+quoted(l.Name), l.Err))
		default:
			found = append(found, fault(l.Name, "mailweir rbl test "+quoted(l.Name), "%v", l.Err))
		}
	}
	return found
}

func examineScanners(f *Facts) (found []Finding) {
	for _, s := range f.Scanners {
		switch {
		case s.Err != nil:
			found = append(found, fault(s.Name, "mailweir backends test", "does not answer about %s: %v", s.Sample, s.Err))
		case !s.Objects:
			found = append(found, fault(s.Name, "", "calls %s clean (%s): it scans without signatures, or not at all", s.Sample, s.Said))
		default:
			found = append(found, ok(s.Name, "%s: %s", s.Sample, s.Said))
		}
	}
	return found
}

func examineBackends(f *Facts) (found []Finding) {
	if f.Backends.Err != nil {
		return []Finding{unknown("", f.Again, f.Backends.Err)}
	}
	if f.Backends.Value == nil {
		return nil
	}
	for _, b := range *f.Backends.Value {
		switch {
		case b.Err != nil:
			found = append(found, fault(b.Name, "mailweir backends test", "does not answer: %v", b.Err))
		case len(b.Remarks) > 0:
			for _, r := range b.Remarks {
				found = append(found, remark(b.Name, "mailweir backends test", "%s", r))
			}
		default:
			found = append(found, ok(b.Name, "%s", b.Found))
		}
	}
	return found
}

// most is the share of mail from one client from which on it is taken for a mail server in front.
const most = 0.5

func examineRelays(f *Facts) []Finding {
	if f.Clients.Err != nil {
		return []Finding{unknown("", f.Again, f.Clients.Err)}
	}
	c := f.Clients.Value
	if c == nil || c.Messages < fewest {
		return nil
	}
	client, share := c.Most()
	if share <= most {
		return []Finding{ok("", "no client sends most of the mail")}
	}
	return []Finding{remark(client.String(), "", "%.0f %% of the last %d messages from outside came from it: if it is a mail server in front of this one, name it in --inbound-relays", 100*share, c.Messages)}
}
