package events

import (
	"mailweir/internal/dns"
	"mailweir/internal/metric"
)

var (
	backendUp = &metric.Metric{
		Name: "backend_up", Kind: metric.Gauge, Unit: "1 or 0", Labels: []metric.Label{labelBackend},
		Help:   "Whether what is asked outside answers: 1 or 0.",
		Normal: "1", Worry: "0 for 5 minutes: checks that need it do as their `--CHECK-on-error` says. The log has the error; look at that server",
		When: "for each that a flag names",
	}
	backendSuspended = &metric.Metric{
		Name: "backend_suspended", Kind: metric.Gauge, Unit: "domains", Labels: []metric.Label{labelBackend},
		Help:   "For how many domains what is asked outside is used for nothing, because its answers mean nothing there.",
		Normal: "0, or no such series", Worry: "more: it says of every recipient that he exists. The log says why; [recipient.md](../checks/recipient.md)",
		When: "when a server is first found to be so",
	}
	backendCalls = &metric.Metric{
		Name: "backend_calls_total", Kind: metric.Counter, Unit: "questions",
		Labels: []metric.Label{labelBackend, {Name: "result", Meaning: "how they ended", Values: []metric.Value{
			{Name: "ok", Meaning: "with an answer, whatever it was"}, {Name: "error", Meaning: "without one"},
		}}},
		Help:   "Questions to what is outside, by how they ended: ok or error.",
		Normal: "`ok`", Worry: "`error` over 1 of 100: it is overloaded, or the way to it is bad", When: "at the first question",
	}
	backendDuration = &metric.Metric{
		Name: "backend_call_duration_seconds", Kind: metric.Histogram, Unit: "seconds", Labels: []metric.Label{labelBackend},
		Help:    "How long the questions took.",
		Buckets: []float64{.0005, .0025, .01, .05, .25, 1, 2.5, 5, 10, 30, 60},
		Normal:  "milliseconds for tables, up to seconds for scanners", Worry: "over 1 s for a table: every recipient waits for it", When: "at the first question",
	}
)

var (
	listAsked = &metric.Metric{
		Name: "dns_list_asked", Kind: metric.Gauge, Unit: "1 or 0", Labels: []metric.Label{labelZone},
		Help:   "Whether the list is asked: 1, or 0 while it is suspended.",
		Normal: "1", Worry: "0 for half an hour: it failed its own test, timed out, or hit known good mail. `mailweir rbl test` says which; [rbl.md](../checks/rbl.md)",
		When: "for each list that a flag names",
	}
	listQueries = &metric.Metric{
		Name: "dns_list_queries_total", Kind: metric.Counter, Unit: "clients and names", Labels: []metric.Label{labelZone},
		Help:   "Clients and names looked up in a list.",
		Normal: "follows the connections", Worry: "near what the list allows you in a day: ask its operator", When: "for each list that a flag names",
	}
	listHits = &metric.Metric{
		Name: "dns_list_hits_total", Kind: metric.Counter, Unit: "clients and names", Labels: []metric.Label{labelZone},
		Help:   "Of these, listed.",
		Normal: "a level of its own for each list", Worry: "nearly all, or none any more: the list is broken, or has gone", When: "for each list that a flag names",
	}
	listErrors = &metric.Metric{
		Name: "dns_list_errors_total", Kind: metric.Counter, Unit: "clients and names", Labels: []metric.Label{labelZone},
		Help:   "Of these, without a usable answer.",
		Normal: "under 1 of 100", Worry: "over 5 of 100: the list refuses your resolver, or is slow. An error is never a hit", When: "for each list that a flag names",
	}
	listKnownGood = &metric.Metric{
		Name: "dns_list_known_good_hits_total", Kind: metric.Counter, Unit: "clients", Labels: []metric.Label{labelZone},
		Help:   "Hits on clients whose mail is known to be good.",
		Normal: "a few a week", Worry: "several an hour: the list hits what it should not. Lower its weight; it is suspended by itself where it goes too far",
		When: "for each list that a flag names",
	}
	dnsCacheHits = &metric.Metric{
		Name: "dns_cache_hits_total", Kind: metric.Counter, Unit: "questions",
		Help:   "Questions answered from the cache.",
		Normal: "a third of all, or more", Worry: "nothing to worry about by itself", When: "never in `mailweir auth`",
	}
	dnsCacheMisses = &metric.Metric{
		Name: "dns_cache_misses_total", Kind: metric.Counter, Unit: "questions",
		Help:   "Questions that went to the DNS.",
		Normal: "follows the connections", Worry: "nothing to worry about by itself", When: "never in `mailweir auth`",
	}
	dnsCacheNames = &metric.Metric{
		Name: "dns_cache_names", Kind: metric.Gauge, Unit: "answers",
		Help:   "Answers in the cache.",
		Normal: "grows to its bound, and stays there", Worry: "nothing to worry about by itself", When: "never in `mailweir auth`",
	}
	dnsFailures = &metric.Metric{
		Name: "dns_failures_total", Kind: metric.Counter, Unit: "questions",
		Labels: []metric.Label{{Name: "failure", Meaning: "why", Values: []metric.Value{
			{Name: dns.Timeout.String(), Meaning: "the resolver or a name server behind it is slow or away"},
			{Name: dns.ServerFailure.String(), Meaning: "SERVFAIL, or another code that says so"},
			{Name: dns.Refused.String(), Meaning: "REFUSED, or the server is no resolver"},
			{Name: dns.Malformed.String(), Meaning: "no answer to the question, or it cannot be read"},
			{Name: dns.Unreachable.String(), Meaning: "the resolver does not run, or a firewall is between"},
			{Name: dns.Overloaded.String(), Meaning: "more questions at once than may be open"},
			{Name: dns.Cancelled.String(), Meaning: "nobody waited any more"},
		}}},
		Help:   "Questions without a usable answer.",
		Normal: "a few of 100: names of untrusted clients are often broken",
		Worry:  "`" + dns.Unreachable.String() + "`, or over 10 of 100: the resolver of `--dns` fails", When: "never in `mailweir auth`",
	}
)

var (
	stateUp = &metric.Metric{
		Name: "state_up", Kind: metric.Gauge, Unit: "1 or 0",
		Help:   "Whether the store answers: 1 or 0.",
		Normal: "1", Worry: "0 for 2 minutes: checks that remember do as their on-error says. See [state.md](../operate/state.md)", When: "never in `mailweir auth`",
	}
	stateWritable = &metric.Metric{
		Name: "state_writable", Kind: metric.Gauge, Unit: "1 or 0",
		Help:   "Whether the disk takes what is remembered: 1 or 0, when it is full or fails.",
		Normal: "1", Worry: "0: what is learned now is lost at the next restart. Make room on the disk of `--state`; it is written again by itself",
		When: "while the store answers",
	}
	stateRows = &metric.Metric{
		Name: "state_rows", Kind: metric.Gauge, Unit: "rows", Labels: []metric.Label{labelSpace},
		Help:   "Rows that checks remember.",
		Normal: "grows for some weeks, then stays", Worry: "it falls to 0: the state was lost", When: "when something is first remembered",
	}
	stateEvictions = &metric.Metric{
		Name: "state_evictions_total", Kind: metric.Counter, Unit: "rows", Labels: []metric.Label{labelSpace},
		Help:   "Rows that had to go before their end because their space was full.",
		Normal: "0", Worry: "it grows day by day: somebody floods the space, or it is too small; what was remembered longest ago is forgotten",
		When: "when something is first remembered",
	}
	stateBytes = &metric.Metric{
		Name: "state_bytes", Kind: metric.Gauge, Unit: "bytes",
		Help:   "Size of the store, 0 where it is not known.",
		Normal: "grows for some weeks, then stays", Worry: "it nears the size of its disk", When: "while the store answers",
	}
	statePending = &metric.Metric{
		Name: "state_pending_rows", Kind: metric.Gauge, Unit: "rows",
		Help:   "Rows that a crash would lose now.",
		Normal: "those of the last second", Worry: "it grows for minutes: the disk is slow, or full", When: "while the store answers",
	}
)

var (
	buildInfo = &metric.Metric{
		Name: "build_info", Kind: metric.Gauge, Unit: "always 1", Labels: []metric.Label{{Name: "version", Meaning: "what `mailweir version` says"}},
		Help:   "The version that runs; always 1.",
		Normal: "one version on all hosts", Worry: "nothing to worry about by itself",
	}
	reloadSuccessful = &metric.Metric{
		Name: "reload_successful", Kind: metric.Gauge, Unit: "1 or 0",
		Help:   "Whether the last attempt to load a policy succeeded: 1 or 0.",
		Normal: "1", Worry: "0: the policy from before stays in force, and a restart would fail. `mailweir check` says what is wrong. In `mailweir auth` it is the password file",
	}
	reloadedAt = &metric.Metric{
		Name: "reload_success_timestamp_seconds", Kind: metric.Gauge, Unit: "seconds since 1970",
		Help:   "When the current policy was loaded.",
		Normal: "when you last changed something", Worry: "nothing to worry about by itself",
	}
	reloadsTotal = &metric.Metric{
		Name: "reloads_total", Kind: metric.Counter, Unit: "attempts",
		Labels: []metric.Label{{Name: "result", Meaning: "how they ended", Values: []metric.Value{
			{Name: "success", Meaning: "the new policy is in force"}, {Name: "failure", Meaning: "the one before stays"},
		}}},
		Help:   "Attempts to load a policy.",
		Normal: "as often as you change something", Worry: "nothing to worry about by itself", When: "at the first attempt of that kind",
	}
	defectsTotal = &metric.Metric{
		Name: "defects_total", Kind: metric.Counter, Unit: "panics",
		Help:   "Panics outside of any answer.",
		Normal: "0", Worry: "any: a defect of mailweir. The log has its stack; please report it. No mail is lost by it",
	}
	backgroundDropped = &metric.Metric{
		Name: "background_dropped_total", Kind: metric.Counter, Unit: "pieces of work",
		Help:   "Pieces of work behind the answers that were dropped: nothing was learned or recorded of them.",
		Normal: "0", Worry: "any: a server that is asked hangs, or the machine is overloaded. Mail is answered all the same",
	}
	linesLeftOut = &metric.Metric{
		Name: "log_lines_left_out_total", Kind: metric.Counter, Unit: "events", Labels: []metric.Label{labelCheck},
		Help:   "Events without a line of their own: they share their id and the line of its sum.",
		Normal: "0 on most days", Worry: "nothing to worry about by itself: a flood ([log.md](../operate/log.md))", When: "at the first flood",
	}
)
