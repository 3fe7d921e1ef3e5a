package events

import "mailweir/internal/metric"

// Declared are the metrics of this package, in the order in which they are documented.
func Declared() []metric.Group {
	return []metric.Group{
		{Title: "Mail", Metrics: []*metric.Metric{connectionsTotal, sessionsOpen, messagesTotal, messageOctets, stageDuration, mtaGaveUp}},
		{Title: "Checks", Metrics: []*metric.Metric{decisionsTotal, checkFailures, monitoredByHand, examinationLimits}},
		{Title: "Scanners", About: "Of virus and spam scanners.", Metrics: []*metric.Metric{scansTotal, scanOctets, scanDuration, virusSignatures, spoolOctets, spoolMax}},
		{
			Title:   "Servers that are asked",
			About:   "Directories, databases, scanners, mail servers that are asked for recipients, the database of the record: all but the DNS and the state.",
			Metrics: []*metric.Metric{backendUp, backendSuspended, backendCalls, backendDuration},
		},
		{Title: "DNS and DNS lists", Metrics: []*metric.Metric{listAsked, listQueries, listHits, listErrors, listKnownGood, dnsCacheHits, dnsCacheMisses, dnsCacheNames, dnsFailures}},
		{Title: "State", About: "What checks remember (`--state`).", Metrics: []*metric.Metric{stateUp, stateWritable, stateRows, stateEvictions, stateBytes, statePending}},
		{Title: "The program", Metrics: []*metric.Metric{buildInfo, reloadSuccessful, reloadedAt, reloadsTotal, defectsTotal, backgroundDropped, linesLeftOut}},
	}
}

// Labels that several metrics have.
var (
	labelCheck   = metric.Label{Name: "check", Meaning: "the [check](checks.md)"}
	labelService = metric.Label{Name: "service", Meaning: "the door that the client came through (`--services`)", Values: []metric.Value{
		{Name: "mx", Meaning: "from other mail servers, and every door that is not named"},
		{Name: "submission", Meaning: "from our own users"},
		{Name: "reinject", Meaning: "from a content filter, where nothing is checked"},
	}}
	labelZone    = metric.Label{Name: "zone", Meaning: "the list; a paid zone's key stands as `{NAME}` in it"}
	labelBackend = metric.Label{Name: "backend", Meaning: "what is asked: `clamd:unix:/run/clamav/clamd.ctl`, `ldap:…`, without passwords"}
	labelSpace   = metric.Label{Name: "space", Meaning: "what is remembered, as `mailweir state stats` calls it"}
)

var (
	connectionsTotal = &metric.Metric{
		Name: "connections_total", Kind: metric.Counter, Unit: "connections", Labels: []metric.Label{labelService},
		Help:   "SMTP connections.",
		Normal: "follows the hours of the day",
		Worry:  "0 where there was mail at this hour yesterday: the mail server does not ask. `mailweir doctor` says why",
		When:   "at the first connection",
	}
	sessionsOpen = &metric.Metric{
		Name: "sessions", Kind: metric.Gauge, Unit: "connections",
		Help:   "SMTP connections that are open now.",
		Normal: "tens; far below `--load-sessions`, at which untrusted clients get 421",
		Worry:  "it stays at `--load-sessions`: many clients at once, or something that is asked answers slowly",
	}
	messagesTotal = &metric.Metric{
		Name: "messages_total", Kind: metric.Counter, Unit: "transactions",
		Labels: []metric.Label{labelService, {Name: "fate", Meaning: "what became of it", Values: []metric.Value{
			{Name: "accepted", Meaning: "mailweir let it pass, for one recipient or more; what the mail server refuses afterwards stays unseen"},
			{Name: "refused", Meaning: "a permanent reply"},
			{Name: "deferred", Meaning: "a temporary reply"},
			{Name: "refused_by_mta", Meaning: "the mail server itself refused (Postfix says so, Sendmail does not)"},
			{Name: "removed", Meaning: "all its recipients were taken off"},
			{Name: "abandoned", Meaning: "the client gave it up"},
			{Name: "lost", Meaning: "the connection ended within it"},
		}}},
		Help:   "Mail transactions by what became of them.",
		Normal: "`accepted` follows the hours of the day; most of `refused` is unwanted mail",
		Worry:  "`accepted` falls to half of the same hour yesterday, or `deferred` grows: [troubleshooting](../operate/troubleshooting.md)",
		When:   "at the first transaction of that kind",
	}
	messageOctets = &metric.Metric{
		Name: "message_octets_total", Kind: metric.Counter, Unit: "octets",
		Help:   "Octets of the messages that came to their end.",
		Normal: "follows the mail", Worry: "nothing to worry about by itself",
	}
	stageDuration = &metric.Metric{
		Name: "stage_duration_seconds", Kind: metric.Histogram, Unit: "seconds",
		Labels: []metric.Label{{Name: "stage", Meaning: "the mail server's question", Values: []metric.Value{
			{Name: "connect", Meaning: "somebody connects"},
			{Name: "helo", Meaning: "HELO or EHLO"},
			{Name: "mail", Meaning: "MAIL: the sender"},
			{Name: "rcpt", Meaning: "RCPT: a recipient"},
			{Name: "headers", Meaning: "the header is complete"},
			{Name: "end", Meaning: "the message is complete; the time that scanners take is in here"},
		}}},
		Help:    "Time from the MTA's question to the answer, waiting for backends included.",
		Buckets: []float64{.0001, .001, .005, .025, .1, .5, 1, 2.5, 5, 10, 30, 60},
		Normal:  "milliseconds; at `rcpt` the slowest DNS list, up to `--rbl-timeout`; seconds at `end` with scanners",
		Worry:   "over 5 s at `rcpt` in one of 100: Sendmail gives up after 10. Look which server is slow: `mailweir_backend_call_duration_seconds`, `mailweir_dns_failures_total`",
	}
	mtaGaveUp = &metric.Metric{
		Name: "mta_gave_up_total", Kind: metric.Counter, Unit: "connections",
		Help:   "Connections that the MTA closed while it was owed an answer.",
		Normal: "0, but for a stop or reload of the mail server",
		Worry:  "any, more than once in an hour: the mail server waited longer than its own timeout, and did with that mail what its default action says (`milter_default_action`). Compare its timeouts with [postfix.md](../start/postfix.md); `mailweir doctor` does",
	}
)

var (
	decisionsTotal = &metric.Metric{
		Name: "decisions_total", Kind: metric.Counter, Unit: "decisions, one for each recipient or message concerned",
		Labels: []metric.Label{
			labelCheck,
			{Name: "mode", Meaning: "the mode of the check then", Values: []metric.Value{
				{Name: "monitor", Meaning: "it records what it would have said"}, {Name: "defer", Meaning: "it answers temporarily"}, {Name: "enforce", Meaning: "it answers as it says"},
			}},
			{Name: "action", Meaning: "what was done", Values: []metric.Value{
				{Name: "refused", Meaning: "a permanent reply"},
				{Name: "deferred", Meaning: "a temporary reply"},
				{Name: "removed", Meaning: "a recipient was taken off"},
				{Name: "changed", Meaning: "the message went on, changed"},
				{Name: "would_refuse", Meaning: "monitored: it would have been refused or deferred"},
				{Name: "would_change", Meaning: "monitored: it would have been changed"},
				{Name: "not_retried", Meaning: "deferred mail did not come back"},
				{Name: "incomplete", Meaning: "the client gave up, or its message was kept from mailweir"},
				{Name: "unexamined", Meaning: "a limit kept a part of the message from being examined"},
				{Name: "not_done", Meaning: "a change that the mail server does not allow"},
				{Name: "noted", Meaning: "nothing was done, and that may surprise"},
			}},
			{Name: "code", Meaning: "the SMTP code of the reply, that of the check's own reply where it only monitors; `0` without a reply"},
		},
		Help:   "Decisions against mail, in monitor mode those that would have been.",
		Normal: "each check has a level of its own; compare it with yesterday's",
		Worry:  "five times as many as in the same hour yesterday: look at examples with `mailweir events --check=CHECK`, and in a bad night stop the check with `mailweir monitor CHECK`",
		When:   "at the first decision of that kind",
	}
	checkFailures = &metric.Metric{
		Name: "check_failures_total", Kind: metric.Counter, Unit: "errors", Labels: []metric.Label{labelCheck},
		Help:   "Check errors: times that a check could not judge.",
		Normal: "0, or a handful a day for checks that ask the DNS",
		Worry:  "over 5 of 100 recipients, or any of `fault`, which is mailweir itself. Mail is let on or deferred as `--CHECK-on-error` says ([failures.md](failures.md)); `error=` in the log says why",
	}
	monitoredByHand = &metric.Metric{
		Name: "checks_monitored_by_hand", Kind: metric.Gauge, Unit: "checks",
		Help:   "Checks that would refuse, and only monitor because a person has ordered it at run time (mailweir monitor).",
		Normal: "0", Worry: "more for over a day: somebody has forgotten it. `mailweir monitor` lists them, [runtime.md](../operate/runtime.md) says how to end it",
		When: "never in `mailweir auth`",
	}
	examinationLimits = &metric.Metric{
		Name: "examination_limits_total", Kind: metric.Counter, Unit: "messages",
		Labels: []metric.Label{{Name: "limit", Meaning: "which limit: see [content.md](../checks/content.md) and [virus.md](../checks/virus.md)"}},
		Help:   "Messages of which a part was not examined, by the limit that was reached.",
		Normal: "a few a day: large archives, damaged files",
		Worry:  "`time` or `large` often: somebody tries to get around the examination, or `--content-…` limits are too low for your mail. `mailweir events --check=content` shows which",
		When:   "when the limit is first reached",
	}
)

var (
	scansTotal = &metric.Metric{
		Name: "scans_total", Kind: metric.Counter, Unit: "messages",
		Labels: []metric.Label{labelCheck, {Name: "result", Meaning: "what came of it. Virus: `clean`, `infected`, `oversize` (too large to be scanned whole), " +
			"`encrypted` (nobody can look into it), `broken` (a damaged file). Spam: `clean`, `spam` (enough to refuse), `tagged` (enough to mark), `greylisted` (left to the check of that name), " +
			"`deferred` (rspamd wants it to be tried again). Both: `error` (the scanner did not say), `abandoned` (refused for something else meanwhile)"}},
		Help:   "Messages that were shown to a scanner, by what came of it.",
		Normal: "mostly `clean`", Worry: "`error`: the scanner is unavailable or overloaded ([virus.md](../checks/virus.md), [spam.md](../checks/spam.md))",
		When: "at the first scan of that kind",
	}
	scanOctets = &metric.Metric{
		Name: "scan_octets_total", Kind: metric.Counter, Unit: "octets", Labels: []metric.Label{labelCheck},
		Help:   "Octets of messages that scanners were shown.",
		Normal: "follows the mail", Worry: "nothing to worry about by itself", When: "at the first scan",
	}
	scanDuration = &metric.Metric{
		Name: "scan_duration_seconds", Kind: metric.Histogram, Unit: "seconds", Labels: []metric.Label{labelCheck},
		Help:    "Time from the end of a message to what its scan came to, the wait for the scanner included.",
		Buckets: []float64{.0025, .01, .05, .25, 1, 2.5, 5, 10, 20, 30, 45},
		Normal:  "under a second", Worry: "over 20 s: after 60 s the check cannot judge. The scanner is too slow, or there are too few of it", When: "at the first scan",
	}
	virusSignatures = &metric.Metric{
		Name: "virus_signatures_timestamp_seconds", Kind: metric.Gauge, Unit: "seconds since 1970", Labels: []metric.Label{labelBackend},
		Help:   "When the signatures of a virus scanner were made.",
		Normal: "less than a day ago", Worry: "more than 7 days ago: freshclam does not run",
		When: "with `--virus-scanner`, once the scanner has said so",
	}
	spoolOctets = &metric.Metric{
		Name: "spool_octets", Kind: metric.Gauge, Unit: "octets",
		Help:   "Room that messages take, in memory and in --scan-spool, while they are scanned or their signature is verified.",
		Normal: "next to nothing: a message is kept for as long as its scan takes",
		Worry:  "over 80 % of `mailweir_spool_max_octets`: what does not fit is a check error. A scanner hangs, or `--scan-spool-max` is too small",
		When:   "never in `mailweir auth`",
	}
	spoolMax = &metric.Metric{
		Name: "spool_max_octets", Kind: metric.Gauge, Unit: "octets",
		Help:   "How much room that may be at most (--scan-spool-max).",
		Normal: "what you have set", Worry: "nothing to worry about by itself", When: "never in `mailweir auth`",
	}
)
