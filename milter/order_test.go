package milter

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailweir/internal/policy"
)

// turn is what the MTA sends in one go, and the reply that must come: "" for none.
type turn struct {
	packets [][]byte
	reply   string
}

func do(reply string, packets ...[]byte) turn { return turn{packets, reply} }

func strangerPacket() []byte { return connectPacket("mail.test.example", '4', 4711, "192.0.2.7") }

// TestEventOrders plays the orders in which Postfix and Sendmail were seen to send their packets.
func TestEventOrders(t *testing.T) {
	spam := refuseWith(t, 550, "5.7.1", "No thank you, 100%")
	const spamReply = "y 550 5.7.1 No thank you, 100%%"
	queueID := func(stage byte) []byte { return macroPacket(stage, "i", "4XyZ") }
	begin := do("c", macroPacket('C', "{daemon_port}", "25"), strangerPacket(), macroPacket('H'), heloPacket("h"))
	began := []string{
		"connect {Client:192.0.2.7 Port:4711 Name:mail.test.example Unverified: DaemonName: DaemonPort:25 MTA: NoNetwork:false Denied:0}",
		"helo h",
	}
	content := [][]byte{
		queueID('L'), headerPacket("From", "a@b"), queueID('L'), headerPacket("Subject", "x\n y"),
		queueID('N'), eohPacket, queueID('E'), packet('B', "hello\r\n"), queueID('E'), eomPacket,
	}
	contentCalls := []string{`header From: "a@b" [4XyZ]`, `header Subject: "x\n y" [4XyZ]`, "eoh", `body "hello\r\n"`, "end [4XyZ]"}

	tests := []struct {
		name    string
		answers map[string]policy.Answer
		turns   []turn
		calls   []string
	}{
		{
			name: "postfix, two messages",
			turns: []turn{
				begin,
				do("c", macroPacket('M'), mailPacket("<a@b>", "SIZE=100", "BODY=8BITMIME")),
				do("c", macroPacket('R', "{rcpt_mailer}", "relay"), rcptPacket("<c@d>")),
				do("c", queueID('R'), rcptPacket("<e@f>")),
				do("c", content...),
				do("c", resetPacket, macroPacket('M'), mailPacket("<>")),
				do("c", rcptPacket("<c@d>")),
				do("c", queueID('L'), headerPacket("From", "second"), eohPacket, queueID('E'), eomPacket),
				do("", resetPacket, resetPacket),
			},
			calls: concat(began, "mail <a@b> size=100", "rcpt c@d <c@d>", "rcpt e@f <e@f> [4XyZ]", contentCalls,
				"abort", "mail <>", "rcpt c@d <c@d>", `header From: "second" [4XyZ]`, "eoh", "end [4XyZ]", "abort", "abort", "close"),
		},
		{
			name: "sendmail, two messages without an abort between them",
			turns: []turn{
				begin,
				do("c", queueID('M'), mailPacket("<a@b>", "SMTPUTF8")),
				do("c", macroPacket('R', "{rcpt_mailer}", "esmtp"), rcptPacket("<c@d>")),
				do("c", headerPacket("From", "first"), queueID('N'), eohPacket, packet('B', "one"), queueID('E'), eomPacket),
				do("c", macroPacket('M', "i", "other"), mailPacket("<a@b>")),
				do("c", rcptPacket("<c@d>")),
				do("c", headerPacket("From", "second"), eohPacket, packet('B', "two"), eomPacket),
			},
			calls: concat(began, "mail <a@b> smtputf8 [4XyZ]", "rcpt c@d <c@d> [4XyZ]", `header From: "first" [4XyZ]`, "eoh",
				`body "one"`, "end [4XyZ]", "mail <a@b> [other]", "rcpt c@d <c@d> [other]", `header From: "second" [other]`, "eoh",
				`body "two"`, "end [other]", "close"),
		},
		{
			name: "RSET after a recipient",
			turns: []turn{
				begin, do("c", mailPacket("<a@b>")), do("c", rcptPacket("<c@d>")), do("", resetPacket), do("c", mailPacket("<g@h>")),
				do("", resetPacket, resetPacket),
			},
			calls: concat(began, "mail <a@b>", "rcpt c@d <c@d>", "abort", "mail <g@h>", "abort", "abort", "close"),
		},
		{
			name: "postfix, second EHLO within a message: abort after HELO",
			turns: []turn{
				begin, do("c", mailPacket("<a@b>")),
				do("c", macroPacket('H', "{tls_version}", "TLSv1.3", "{cipher}", "AES", "{cipher_bits}", "256"), heloPacket("h2")),
				do("c", resetPacket, macroPacket('M', "{auth_type}", "PLAIN", "{auth_authen}", "bob"), mailPacket("<a@b>")),
			},
			calls: concat(began, "mail <a@b>", "helo h2 {Version:TLSv1.3 Cipher:AES Bits:256 CertSubject: CertIssuer:}", "abort",
				"mail <a@b> login=bob by PLAIN", "close"),
		},
		{
			name:  "sendmail, second EHLO within a message: abort before HELO",
			turns: []turn{begin, do("c", mailPacket("<a@b>")), do("c", resetPacket, macroPacket('H'), heloPacket("h2"))},
			calls: concat(began, "mail <a@b>", "abort", "helo h2", "close"),
		},
		{
			name:    "MAIL refused: postfix sends an abort, sendmail nothing",
			answers: map[string]policy.Answer{"mail <a@b>": spam},
			turns: []turn{
				begin, do(spamReply, mailPacket("<a@b>")), do("c", resetPacket, mailPacket("<g@h>")),
				do("", resetPacket), do(spamReply, mailPacket("<a@b>")), do("c", mailPacket("<g@h>")),
			},
			calls: concat(began, "mail <a@b>", "abort", "mail <g@h>", "abort", "mail <a@b>", "mail <g@h>", "close"),
		},
		{
			name:    "a refused recipient does not touch the others",
			answers: map[string]policy.Answer{"rcpt bad@d <bad@d>": spam},
			turns: []turn{
				begin, do("c", mailPacket("<a@b>")), do(spamReply, rcptPacket("<bad@d>")), do("c", rcptPacket("<c@d>")),
				do("c", content...),
			},
			calls: concat(began, "mail <a@b>", "rcpt bad@d <bad@d>", "rcpt c@d <c@d>", contentCalls, "close"),
		},
		{
			name:    "message refused, then another on the same connection",
			answers: map[string]policy.Answer{"end [4XyZ]": spam},
			turns: []turn{
				begin, do("c", mailPacket("<a@b>")), do("c", rcptPacket("<c@d>")), do(spamReply, content...),
				do("c", mailPacket("<a@b>")), do("c", rcptPacket("<c@d>")), do("c", eohPacket, eomPacket),
			},
			calls: concat(began, "mail <a@b>", "rcpt c@d <c@d>", contentCalls,
				"mail <a@b>", "rcpt c@d <c@d>", "eoh", "end", "close"),
		},
		{
			name: "a recipient that the MTA has refused",
			turns: []turn{
				begin, do("c", mailPacket("<a@b>")),
				do("c", macroPacket('R', "{rcpt_mailer}", "error", "{rcpt_host}", "5.7.1"), rcptPacket("<x@y>")),
				do("c", macroPacket('R', "{rcpt_mailer}", "relay"), rcptPacket("<c@d>")),
			},
			calls: concat(began, "mail <a@b>", "refused x@y with 5.7.1", "rcpt c@d <c@d>", "close"),
		},
		{
			name: "no SMTP: addresses without brackets",
			turns: []turn{
				do("c", connectPacket("localhost", '4', 0, "127.0.0.1"), heloPacket("localhost")),
				do("c", queueID('M'), mailPacket("a@b")), do("c", rcptPacket("c@d")), do("c", eohPacket, eomPacket),
			},
			calls: []string{
				"connect {Client:127.0.0.1 Port:0 Name:localhost Unverified: DaemonName: DaemonPort: MTA: NoNetwork:false Denied:0}",
				"helo localhost", "mail <a@b> [4XyZ]", "rcpt c@d c@d [4XyZ]", "eoh", "end [4XyZ]", "close",
			},
		},
		{
			name:  "header only, no body",
			turns: []turn{begin, do("c", mailPacket("<a@b>")), do("c", eohPacket, eomPacket)},
			calls: concat(began, "mail <a@b>", "eoh", "end", "close"),
		},
		{
			name:  "an end of message with the last chunk in it",
			turns: []turn{begin, do("c", mailPacket("<a@b>")), do("c", eohPacket, packet('E', "tail"))},
			calls: concat(began, "mail <a@b>", "eoh", `body "tail"`, "end", "close"),
		},
	}
	for _, tt := range tests {
		for offerName, offer := range map[string][]byte{"new": fullOffer, "old": oldOffer} {
			t.Run(tt.name+", "+offerName+" offer", func(t *testing.T) {
				fake := newFake()
				fake.answers = tt.answers
				server := serveFake(t, fake)
				m := negotiated(t, server.Addr, offer)
				for _, turn := range tt.turns {
					m.take(turn)
				}
				m.quit()
				await(t, fake.ended, "the session's end")
				if diff := cmp.Diff(tt.calls, fake.record()); diff != "" {
					t.Errorf("calls (-want +got):\n%s", diff)
				}
				if errs, _ := server.said(); len(errs) > 0 {
					t.Errorf("errors: %q", errs)
				}
			})
		}
	}
}

// take plays a turn as an MTA that was granted what the filter asked for: it reads a reply wherever
// one is due.
func (m *mta) take(turn turn) {
	m.tb.Helper()
	last := len(turn.packets) - 1
	for i, p := range turn.packets {
		m.send(p)
		switch due := m.replyDue(p[lengthSize]); {
		case i == last && turn.reply != "":
			m.want(turn.reply)
		case due:
			m.want("c")
		}
	}
}

func concat(parts ...any) []string {
	var all []string
	for _, part := range parts {
		switch part := part.(type) {
		case string:
			all = append(all, part)
		case []string:
			all = append(all, part...)
		}
	}
	return all
}
