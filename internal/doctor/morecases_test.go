package doctor

import "mailweir/internal/mta/postfix"

// loopbackService is one to which a content filter gives mail back.
func loopbackService(port string, overrides map[string]string) func(*Facts) {
	return more(&postfix.Service{Name: "127.0.0.1:" + port, Type: "inet", Command: "smtpd", MaxProc: "-", Overrides: overrides})
}

// moreCases are about limits and ways of Postfix.
func moreCases() []examinationCase {
	return []examinationCase{
		{"error-limits", "raised", nil, "ok      error-limits smtp/inet: 1100 errors before Postfix hangs up"},
		{"error-limits", "Postfix's own", func(f *Facts) { clear(f.Postfix[0].Service("smtp/inet").Overrides) }, "fault   error-limits smtp/inet: Postfix slows a client down after 10 errors and hangs up after 20, and each recipient beyond --rcpt-limit-max=100 is one; " +
			"postconf -P smtp/inet/smtpd_soft_error_limit=1100 && postconf -P smtp/inet/smtpd_hard_error_limit=1100 && postfix reload"},
		{"error-limits", "only monitored", func(f *Facts) {
			clear(f.Postfix[0].Service("smtp/inet").Overrides)
			f.Config.RcptLimitRefuses = false
		}, "remark  error-limits smtp/inet: Postfix slows a client down after 10 errors and hangs up after 20, and each recipient beyond --rcpt-limit-max=100 is one; " +
			"postconf -P smtp/inet/smtpd_soft_error_limit=1100 && postconf -P smtp/inet/smtpd_hard_error_limit=1100 && postfix reload"},
		{"error-limits", "soft alone", own("smtp/inet", "smtpd_soft_error_limit", "50"), "remark  error-limits smtp/inet: Postfix slows a client down after 50 errors and hangs up after 1100, and each recipient beyond --rcpt-limit-max=100 is one; " +
			"postconf -P smtp/inet/smtpd_soft_error_limit=1100 && postconf -P smtp/inet/smtpd_hard_error_limit=1100 && postfix reload"},
		{"error-limits", "no limit of ours", func(f *Facts) { f.Config.RcptLimit = 0 }, ""},
		{"error-limits", "no number", own("smtp/inet", "smtpd_soft_error_limit", "many"), ""},
		{"error-limits", "by the name of a daemon", all(own("smtp/inet", "milter_macro_daemon_name", "ORIGINATING"), func(f *Facts) { f.Config.Services["ORIGINATING"] = submission }), ""},
		{"recipient-limit", "more than ours", nil, "ok      recipient-limit smtp/inet: 1000, more than --rcpt-limit-max=100"},
		{"recipient-limit", "as ours", set("smtpd_recipient_limit", "100"), "remark  recipient-limit smtp/inet: smtpd_recipient_limit is 100: Postfix answers 452 before --rcpt-limit-max=100 does; postconf -e smtpd_recipient_limit=1000 && postfix reload"},
		{"recipient-limit", "no limit of ours", func(f *Facts) { f.Config.RcptLimit = 0 }, ""},
		{"message-size", "as it is", nil, "ok      message-size smtp/inet, submission/inet: message_size_limit is 10240000"},
		{"message-size", "below ours", func(f *Facts) { f.Config.SizeMax = 20e6 }, "remark  message-size smtp/inet, submission/inet: message_size_limit is 10240000: --size-max=20000000 never has its turn; postconf -e message_size_limit=20000000 && postfix reload"},
		{"message-size", "as ours", func(f *Facts) { f.Config.SizeMax = 10240000 }, "ok      message-size smtp/inet, submission/inet: message_size_limit is 10240000"},
		{"message-size", "none", all(set("message_size_limit", "0"), func(f *Facts) { f.Config.SizeMax = 20e6 }), "ok      message-size smtp/inet, submission/inet: message_size_limit is 0"},
		{"message-size", "beyond the scanners", func(f *Facts) { f.Config.ScanMax = 5e6 }, "remark  message-size smtp/inet, submission/inet: message_size_limit is 10240000: the end of messages larger than 5000000 is shown to no virus scanner; postconf -e message_size_limit=5000000 && postfix reload"},
		{"message-size", "none, and scanners", all(set("message_size_limit", "0"), func(f *Facts) { f.Config.ScanMax = 5e6 }), "remark  message-size smtp/inet, submission/inet: message_size_limit is 0: the end of messages larger than 5000000 is shown to no virus scanner; postconf -e message_size_limit=5000000 && postfix reload"},
		{"header-size", "as it is", nil, "ok      header-size smtp/inet, submission/inet: 102400 octets"},
		{"header-size", "less", set("header_size_limit", "5000"), "remark  header-size smtp/inet, submission/inet: header_size_limit is 5000: longer fields are cut off before mailweir sees them; postconf -e header_size_limit=102400 && postfix reload"},
		{"soft-bounce", "no", nil, ""},
		{"soft-bounce", "yes", set("soft_bounce", "yes"), "remark  soft-bounce smtp/inet, submission/inet: soft_bounce turns each refusal into \"try again\"; postconf -e soft_bounce=no && postfix reload"},
		{"proxy-filter", "none", nil, ""},
		{"proxy-filter", "set", own("smtp/inet", "smtpd_proxy_filter", "127.0.0.1:10024"), "fault   proxy-filter smtp/inet: smtpd_proxy_filter=127.0.0.1:10024 hides header and body of every message from mailweir"},
		{"re-injection", "no filter", loopbackService("10025", nil), ""},
		{"re-injection", "judged again", all(set("content_filter", "smtp:[127.0.0.1]:10024"), loopbackService("10025", map[string]string{"content_filter": ""})), "remark  re-injection 127.0.0.1:10025/inet: what comes back from the content filter is judged again, as mail of our own; " +
			"postconf -P 127.0.0.1:10025/inet/receive_override_options=no_milters && postfix reload"},
		{"re-injection", "other options", all(set("content_filter", "smtp:[127.0.0.1]:10024"), loopbackService("10025", map[string]string{"content_filter": "", "receive_override_options": "no_address_mappings"})), "remark  re-injection 127.0.0.1:10025/inet: what comes back from the content filter is judged again, as mail of our own; " +
			"postconf -P 127.0.0.1:10025/inet/receive_override_options=no_milters,no_address_mappings && postfix reload"},
		{"re-injection", "no milters", all(set("content_filter", "smtp:[127.0.0.1]:10024"), loopbackService("10025", map[string]string{"content_filter": "", "receive_override_options": "no_milters"})), "ok      re-injection 127.0.0.1:10025/inet: what comes back is not judged again"},
		{"re-injection", "known by its port", all(own("smtp/inet", "content_filter", "smtp:[127.0.0.1]:10024"), loopbackService("10026", nil)), "ok      re-injection 127.0.0.1:10026/inet: what comes back is not judged again"},
		{"non-smtpd", "none", nil, ""},
		{"non-smtpd", "ours", set("non_smtpd_milters", "inet:h:1, "+attached), "remark  non-smtpd: mail of local programs is judged: what is refused comes back to its sender; postconf -e non_smtpd_milters=inet:h:1 && postfix reload"},
		{"delay-reject", "yes", nil, ""},
		{"delay-reject", "no", set("smtpd_delay_reject", "no"), "remark  delay-reject smtp/inet, submission/inet: smtpd_delay_reject is no: what Postfix refuses early has no recipient in mailweir's log; postconf -e smtpd_delay_reject=yes && postfix reload"},
		{"milter-maps", "none", nil, ""},
		{"milter-maps", "set", set("smtpd_milter_maps", "cidr:/x"), "remark  milter-maps smtp/inet, submission/inet: mailweir does not see the clients in smtpd_milter_maps=cidr:/x"},
		{"xclient", "none", nil, ""},
		{"xclient", "hosts", set("smtpd_authorized_xclient_hosts", "127.0.0.0/8, 192.0.2.0/24, [2001:db8::]/64"), "ok      xclient smtp/inet, submission/inet: 127.0.0.0/8, 192.0.2.0/24, [2001:db8::]/64 may play any client by XCLIENT"},
		{"xclient", "a net", set("smtpd_authorized_xclient_hosts", "10.0.0.0/8"), "remark  xclient smtp/inet, submission/inet: everybody in 10.0.0.0/8 may play any client by XCLIENT"},
		{"xclient", "a net of IPv6", set("smtpd_authorized_xclient_hosts", "[2001:db8::]/32"), "remark  xclient smtp/inet, submission/inet: everybody in [2001:db8::]/32 may play any client by XCLIENT"},
		{"xclient", "everybody", set("smtpd_authorized_xclient_hosts", "static:all"), "remark  xclient smtp/inet, submission/inet: everybody in static:all may play any client by XCLIENT"},
		{"bare-newline", "looked at", nil, "ok      bare-newline smtp/inet: normalize"},
		{"bare-newline", "an old Postfix", func(f *Facts) { delete(f.Postfix[0].Parameters, "smtpd_forbid_bare_newline") }, "ok      bare-newline smtp/inet: this Postfix does not look at bare line feeds; updates of it do"},
		{"bare-newline", "taken", set("smtpd_forbid_bare_newline", "no"), "ok      bare-newline smtp/inet: no, as before Postfix 3.9: it takes lines that end in a bare line feed; to refuse what smuggles messages by them; postconf -e smtpd_forbid_bare_newline=yes && postfix reload"},
		{"greylist-twice", "neither", nil, ""},
		{"greylist-twice", "Postfix alone", set("smtpd_recipient_restrictions", "check_policy_service inet:127.0.0.1:10023"), ""},
		{
			"greylist-twice", "both", all(set("smtpd_recipient_restrictions", "permit_mynetworks, check_policy_service inet:127.0.0.1:10023, permit"), func(f *Facts) { f.Config.Greylists = true }),
			"remark  greylist-twice main.cf: smtpd_recipient_restrictions asks inet:127.0.0.1:10023, and mailweir greylists as well; postconf -e 'smtpd_recipient_restrictions=permit_mynetworks permit' && postfix reload",
		},
		{
			"greylist-twice", "of a service", all(own("smtp/inet", "smtpd_client_restrictions", "check_policy_service unix:postgrey/socket,permit"), func(f *Facts) { f.Config.Greylists = true }),
			"remark  greylist-twice smtp/inet: smtpd_client_restrictions asks unix:postgrey/socket, and mailweir greylists as well; postconf -P smtp/inet/smtpd_client_restrictions=permit && postfix reload",
		},
		{"spf-twice", "none", set("smtpd_recipient_restrictions", "permit, check_policy_service"), ""},
		{"spf-twice", "asked", set("smtpd_recipient_restrictions", "check_policy_service unix:private/policyd-spf permit"), "remark  spf-twice main.cf: smtpd_recipient_restrictions asks unix:private/policyd-spf, whose refusals mailweir does not see; postconf -e smtpd_recipient_restrictions=permit && postfix reload"},
		{"lists-twice", "neither", nil, ""},
		{"lists-twice", "others", all(set("smtpd_client_restrictions", "reject_rbl_client b.example"), func(f *Facts) { f.Config.Zones = []string{"a.example"} }), ""},
		{
			"lists-twice", "both", all(set("smtpd_client_restrictions", "reject_rbl_client a.example=127.0.0.2, permit"), func(f *Facts) { f.Config.Zones = []string{"A.example.*2"} }),
			"remark  lists-twice main.cf: smtpd_client_restrictions asks a.example, and mailweir asks it as well; postconf -e smtpd_client_restrictions=permit && postfix reload",
		},
		{
			"lists-twice", "postscreen", all(more(&postfix.Service{Name: "smtp", Type: "inet", Command: "postscreen"}), set("postscreen_dnsbl_sites", "b.example*2 key.a.example=127.0.0.[2..11]*3"), func(f *Facts) { f.Config.Zones = []string{"{K}.a.example"} }),
			"remark  lists-twice smtp/inet: postscreen asks key.a.example, and mailweir asks it as well; postconf -e 'postscreen_dnsbl_sites=b.example*2' && postfix reload",
		},
		{"scanner-twice", "neither", nil, ""},
		{"scanner-twice", "as a milter alone", set("smtpd_milters", attached+", inet:127.0.0.1:11332"), ""},
		{
			"scanner-twice", "both", all(set("smtpd_milters", attached+", inet:127.0.0.1:11332"), func(f *Facts) { f.Config.SpamScanners = []string{"rspamd:http://127.0.0.1:11333"} }),
			"remark  scanner-twice smtp/inet, submission/inet: rspamd is asked by Postfix as the milter inet:127.0.0.1:11332, and by mailweir; postconf -e 'smtpd_milters=" + attached + "' && postfix reload",
		},
		{
			"scanner-twice", "SpamAssassin", all(set("smtpd_milters", attached+", unix:/spamass/spamass.sock"), func(f *Facts) { f.Config.SpamScanners = []string{"spamd:127.0.0.1:783"} }),
			"remark  scanner-twice smtp/inet, submission/inet: spamd is asked by Postfix as the milter unix:/spamass/spamass.sock, and by mailweir; postconf -e 'smtpd_milters=" + attached + "' && postfix reload",
		},
		{"scanner-twice", "the other one", all(set("smtpd_milters", attached+", inet:127.0.0.1:11332"), func(f *Facts) { f.Config.SpamScanners = []string{"spamd:127.0.0.1:783"} }), ""},
		{"signer-first", "none", func(f *Facts) { f.Config.EditsHeaders = true }, ""},
		{"signer-first", "behind", all(set("smtpd_milters", attached+", inet:127.0.0.1:8891"), func(f *Facts) { f.Config.EditsHeaders = true }), ""},
		{"signer-first", "in front, nothing is changed", set("smtpd_milters", "inet:127.0.0.1:8891, "+attached), ""},
		{
			"signer-first", "in front", all(set("smtpd_milters", "inet:h:1 unix:opendkim/opendkim.sock, "+attached), func(f *Facts) { f.Config.EditsHeaders = true }),
			"remark  signer-first smtp/inet, submission/inet: unix:opendkim/opendkim.sock may sign before mailweir changes header fields; postconf -e 'smtpd_milters=" + attached + ", inet:h:1, unix:opendkim/opendkim.sock' && postfix reload",
		},
		{"proxy-protocol", "many clients", nil, ""},
		{"proxy-protocol", "spoken", all(own("smtp/inet", "smtpd_upstream_proxy_protocol", "haproxy"), clients(100, map[string]int{"10.0.0.1": 100})), "ok      proxy-protocol: clients' addresses come by the PROXY protocol"},
		{"proxy-protocol", "spoken to postscreen", all(more(&postfix.Service{Name: "smtp", Type: "inet", Command: "postscreen"}), set("postscreen_upstream_proxy_protocol", "haproxy")), "ok      proxy-protocol: clients' addresses come by the PROXY protocol"},
		{"proxy-protocol", "one client", clients(50, map[string]int{"10.0.0.1": 50}), "fault   proxy-protocol: all of the last 50 messages from outside came from 10.0.0.1: a proxy or another mail server is in front of this one"},
		{"proxy-protocol", "too few", clients(49, map[string]int{"10.0.0.1": 49}), ""},
	}
}
