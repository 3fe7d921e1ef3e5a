package main

// rows are the questions that the dashboard answers, the most urgent first. "@" is what is chosen
// at the top.
func rows() []row {
	return []row{flowing(), refused(), wouldBe(), asked(), lists(), kept(), logins(), process()}
}

var (
	aMinute    = look{unit: "cpm"}
	barsMinute = look{unit: "cpm", bars: true}
	seconds    = look{unit: "s"}
)

func flowing() row {
	return row{title: "Is mail flowing?", panels: []*shown{
		figure("Running", 4, "Whether each mailweir runs and can be reached by Prometheus.", yesNo("up", "down"), query{`up{@}`, "{{instance}}"}),
		figure("Accepted", 4, "messages_total", look{unit: "cpm"}, query{`60 * sum(rate(mailweir_messages_total{@,fate="accepted"}[$__rate_interval]))`, "a minute"}),
		figure("Refused or deferred", 4, "messages_total", look{unit: "percentunit"}, query{
			`sum(rate(mailweir_messages_total{@,fate=~"refused|deferred"}[$__rate_interval])) / sum(rate(mailweir_messages_total{@}[$__rate_interval]))`, "of all transactions",
		}),
		figure("A recipient waits", 4, "stage_duration_seconds", look{unit: "s", steps: []step{from(1, "orange"), from(5, "red")}}, query{
			`histogram_quantile(0.99, sum by (le) (rate(mailweir_stage_duration_seconds_bucket{@,stage="rcpt"}[$__rate_interval])))`, "99 of 100 less than",
		}),
		figure("Mail server gave up, 24 h", 4, "mta_gave_up_total", look{unit: "none", steps: []step{from(1, "red")}}, query{`sum(increase(mailweir_mta_gave_up_total{@}[24h]))`, "times"}),
		figure("Configuration", 4, "reload_successful", yesNo("in force", "not loaded"), query{`min(mailweir_reload_successful{@})`, "last reload"}),
		chart("What became of mail", 12, "messages_total", barsMinute, query{`60 * sum by (fate) (rate(mailweir_messages_total{@}[$__rate_interval]))`, "{{fate}}"}),
		chart("How long answers take", 12, "stage_duration_seconds", look{unit: "s", steps: []step{from(5, "red")}},
			query{`histogram_quantile(0.99, sum by (le, stage) (rate(mailweir_stage_duration_seconds_bucket{@,stage=~"mail|rcpt|end"}[$__rate_interval])))`, "{{stage}}, 99 of 100"},
			query{`histogram_quantile(0.5, sum by (le, stage) (rate(mailweir_stage_duration_seconds_bucket{@,stage=~"mail|rcpt|end"}[$__rate_interval])))`, "{{stage}}, half"}),
		chart("Connections, by door", 12, "connections_total", aMinute, query{`60 * sum by (service) (rate(mailweir_connections_total{@}[$__rate_interval]))`, "{{service}}"}),
		chart("Connections open", 12, "sessions", look{unit: "none"}, query{`sum by (instance) (mailweir_sessions{@})`, "{{instance}}"}),
	}}
}

func refused() row {
	return row{title: "What is refused, and by which check?", panels: []*shown{
		chart("Refused, by check", 12, "decisions_total", barsMinute, query{`60 * sum by (check) (rate(mailweir_decisions_total{@,action="refused"}[$__rate_interval]))`, "{{check}}"}),
		chart("Deferred, by check", 12, "decisions_total", barsMinute, query{`60 * sum by (check) (rate(mailweir_decisions_total{@,action="deferred"}[$__rate_interval]))`, "{{check}}"}),
		chart("By reply code", 8, "decisions_total", barsMinute, query{`60 * sum by (code) (rate(mailweir_decisions_total{@,action=~"refused|deferred"}[$__rate_interval]))`, "{{code}}"}),
		chart("Other decisions", 8, "decisions_total", aMinute, query{`60 * sum by (action) (rate(mailweir_decisions_total{@,action!~"refused|deferred|would_refuse"}[$__rate_interval]))`, "{{action}}"}),
		chart("Checks that could not judge", 8, "check_failures_total", barsMinute, query{`60 * sum by (check) (rate(mailweir_check_failures_total{@}[$__rate_interval])) > 0 or 60 * sum(rate(mailweir_check_failures_total{@}[$__rate_interval]))`, "{{check}}"}),
	}}
}

func wouldBe() row {
	return row{title: "What would be refused, if monitored checks were enforced?", panels: []*shown{
		chart("Would refuse, by check", 12, "decisions_total", barsMinute, query{`60 * sum by (check) (rate(mailweir_decisions_total{@,action=~"would_.*"}[$__rate_interval]))`, "{{check}}"}),
		chart("Of the last 24 hours, likely good", 8, "would_refusals", look{unit: "none", steps: []step{from(1, "orange")}}, query{`max by (check) (mailweir_would_refusals{@,judgement="likely_good"})`, "{{check}}"}),
		figure("Monitored by hand", 4, "checks_monitored_by_hand", look{unit: "none", steps: []step{from(1, "orange")}}, query{`sum(mailweir_checks_monitored_by_hand{@})`, "checks"}),
	}}
}

func asked() row {
	return row{title: "Do the servers that are asked answer?", panels: []*shown{
		figure("Servers", 12, "backend_up", yesNo("up", "down"), query{`min by (backend) (mailweir_backend_up{@})`, "{{backend}}"}),
		figure("Virus signatures, age", 6, "virus_signatures_timestamp_seconds", look{unit: "s", steps: []step{from(2*86400, "orange"), from(7*86400, "red")}}, query{
			`time() - min by (backend) (mailweir_virus_signatures_timestamp_seconds{@})`, "{{backend}}",
		}),
		figure("Room of messages that are scanned", 6, "spool_octets", look{unit: "percentunit", steps: []step{from(.5, "orange"), from(.8, "red")}}, query{
			`max(mailweir_spool_octets{@} / mailweir_spool_max_octets{@})`, "of --scan-spool-max",
		}),
		chart("Questions", 8, "backend_calls_total", aMinute, query{`60 * sum by (backend) (rate(mailweir_backend_calls_total{@,result="ok"}[$__rate_interval]))`, "{{backend}}"}),
		chart("Without an answer", 8, "backend_calls_total", aMinute, query{`60 * sum(rate(mailweir_backend_calls_total{@,result="error"}[$__rate_interval])) or 0 * sum(mailweir_build_info{@})`, "errors"}),
		chart("How long they take", 8, "backend_call_duration_seconds", seconds, query{
			`histogram_quantile(0.99, sum by (le, backend) (rate(mailweir_backend_call_duration_seconds_bucket{@}[$__rate_interval])))`, "{{backend}}, 99 of 100",
		}),
		chart("What scanners found", 12, "scans_total", barsMinute, query{`60 * sum by (check, result) (rate(mailweir_scans_total{@}[$__rate_interval]))`, "{{check}}: {{result}}"}),
		chart("How long a message waits for a scanner", 12, "scan_duration_seconds", look{unit: "s", steps: []step{from(20, "red")}}, query{
			`histogram_quantile(0.99, sum by (le, check) (rate(mailweir_scan_duration_seconds_bucket{@}[$__rate_interval])))`, "{{check}}, 99 of 100",
		}),
	}}
}

func lists() row {
	return row{title: "Do the DNS lists answer, and what do they say?", panels: []*shown{
		figure("Lists", 24, "dns_list_asked", yesNo("asked", "suspended"), query{`min by (zone) (mailweir_dns_list_asked{@})`, "{{zone}}"}),
		chart("Listed, of all that is looked up", 8, "dns_list_hits_total", look{unit: "percentunit"}, query{
			`sum by (zone) (rate(mailweir_dns_list_hits_total{@}[$__rate_interval])) / sum by (zone) (rate(mailweir_dns_list_queries_total{@}[$__rate_interval]))`, "{{zone}}",
		}),
		chart("Without a usable answer", 8, "dns_list_errors_total", aMinute, query{`60 * sum by (zone) (rate(mailweir_dns_list_errors_total{@}[$__rate_interval]))`, "{{zone}}"}),
		chart("Hits on known good mail", 8, "dns_list_known_good_hits_total", look{unit: "none", bars: true}, query{`sum by (zone) (increase(mailweir_dns_list_known_good_hits_total{@}[$__rate_interval]))`, "{{zone}}"}),
		chart("DNS: answered from the cache", 12, "dns_cache_hits_total", look{unit: "percentunit"}, query{
			`sum(rate(mailweir_dns_cache_hits_total{@}[$__rate_interval])) / (sum(rate(mailweir_dns_cache_hits_total{@}[$__rate_interval])) + sum(rate(mailweir_dns_cache_misses_total{@}[$__rate_interval])))`, "of all questions",
		}),
		chart("DNS: no usable answer", 12, "dns_failures_total", barsMinute, query{`60 * sum by (failure) (rate(mailweir_dns_failures_total{@}[$__rate_interval]))`, "{{failure}}"}),
	}}
}

func kept() row {
	return row{title: "Are state and record in order?", panels: []*shown{
		figure("State answers", 4, "state_up", yesNo("yes", "no"), query{`min(mailweir_state_up{@})`, "state"}),
		figure("State reaches the disk", 4, "state_writable", yesNo("yes", "no"), query{`min(mailweir_state_writable{@})`, "state"}),
		figure("Record is written", 4, "record_up", yesNo("yes", "no"), query{`min(mailweir_record_up{@})`, "record"}),
		figure("Entries lost, 24 h", 4, "record_dropped_total", look{unit: "none", steps: []step{from(1, "red")}}, query{`sum(increase(mailweir_record_dropped_total{@}[24h]))`, "entries"}),
		figure("Work dropped, 24 h", 4, "background_dropped_total", look{unit: "none", steps: []step{from(1, "red")}}, query{`sum(increase(mailweir_background_dropped_total{@}[24h]))`, "pieces"}),
		figure("The record goes back", 4, "record_oldest_timestamp_seconds", look{unit: "s"}, query{`time() - min(mailweir_record_oldest_timestamp_seconds{@} > 0)`, "so long"}),
		chart("What checks remember", 8, "state_rows", look{unit: "none"}, query{`max by (space) (mailweir_state_rows{@})`, "{{space}}"}),
		chart("Size", 8, "state_bytes record_octets", look{unit: "bytes"}, query{`max(mailweir_state_bytes{@})`, "state"}, query{`max(mailweir_record_octets{@})`, "record"}),
		chart("Waits to be written", 8, "state_pending_rows record_waiting_entries", look{unit: "none"}, query{`sum(mailweir_state_pending_rows{@})`, "rows of the state"}, query{`sum(mailweir_record_waiting_entries{@})`, "entries of the record"}),
	}}
}

func logins() row {
	return row{title: "Can people log in? (mailweir auth)", folded: true, panels: []*shown{
		chart("Logins", 12, "logins_total", barsMinute, query{`60 * sum by (result) (rate(mailweir_logins_total{@}[$__rate_interval]))`, "{{result}}"}),
		chart("Streams of smtpd", 6, "login_streams", look{unit: "none"}, query{`sum by (instance) (mailweir_login_streams{@})`, "{{instance}}"}),
		figure("Outcomes not told, 24 h", 6, "login_reports_dropped_total", look{unit: "none", steps: []step{from(1, "orange")}}, query{
			`sum(increase(mailweir_login_reports_dropped_total{@}[24h])) + sum(increase(mailweir_login_events_dropped_total{@}[24h]))`, "logins",
		}),
	}}
}

func process() row {
	return row{title: "The process", folded: true, panels: []*shown{
		figure("Version", 6, "build_info", look{unit: "none"}, query{`sum by (version) (mailweir_build_info{@})`, "{{version}}"}),
		figure("Since the start", 6, "How long each mailweir has been running.", look{unit: "s", steps: []step{from(0, "orange"), from(3600, "green")}}, query{`time() - process_start_time_seconds{@}`, "{{instance}}"}),
		figure("Descriptors", 6, "Files and connections that are open, of those that may be (LimitNOFILE=). At the limit no mail server gets a connection.",
			look{unit: "percentunit", steps: []step{from(.5, "orange"), from(.8, "red")}}, query{`max by (instance) (process_open_fds{@} / process_max_fds{@})`, "{{instance}}"}),
		figure("Defects", 6, "defects_total", look{unit: "none", steps: []step{from(1, "red")}}, query{`sum(mailweir_defects_total{@})`, "since the start"}),
		chart("Processor", 8, "Time on processors; 1 is one whole processor.", look{unit: "none"}, query{`rate(process_cpu_seconds_total{@}[$__rate_interval])`, "{{instance}}"}),
		chart("Memory", 8, "Memory of the process.", look{unit: "bytes"}, query{`process_resident_memory_bytes{@}`, "{{instance}}"}),
		chart("Goroutines", 8, "What is being done at once. What grows day by day is a leak.", look{unit: "none"}, query{`go_goroutines{@}`, "{{instance}}"}),
	}}
}
