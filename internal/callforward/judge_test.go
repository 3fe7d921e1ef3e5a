package callforward

import (
	"bufio"
	"strings"
	"testing"
)

// TestJudge is the table of what a reply to RCPT means, with the words of many makes.
func TestJudge(t *testing.T) {
	for _, test := range []struct {
		name string
		said string // lines by |
		want verdict
	}{
		{"accepted", "250 2.1.5 Ok", exists},
		{"accepted without a code", "250 ok", exists},
		{"will forward", "251 User not local; will forward to <bob@other.example>", exists},
		{"another success", "255 fine", exists},
		{"252 accepts without knowing", "252 2.1.5 Cannot VRFY user, but will accept message", uncertain},
		{"accepted with the code of a refusal", "250 5.1.1 hm", unclear},

		{"Postfix, unknown", "550 5.1.1 <nobody@x.example>: Recipient address rejected: User unknown in virtual mailbox table", missing},
		{"Sendmail, unknown", "550 5.1.1 <nobody@x.example>... User unknown", missing},
		{"Dovecot's LMTP", "550 5.1.1 <nobody@x.example> User doesn't exist: nobody@x.example", missing},
		{"Cyrus, the code in the last line alone", "550-Mailbox unknown.  Either there is no mailbox associated with this|550-name or you do not have authorization to see it.|550 5.1.1 User unknown", missing},
		{"a code in every line", "550-5.1.1 The email account that you tried to reach does not exist.|550 5.1.1 https://support.example/NoSuchUser", missing},
		{"bad destination system", "550 5.1.2 Bad destination system address", missing},
		{"bad syntax", "501 5.1.3 Bad recipient address syntax", missing},
		{"moved", "551 5.1.6 Recipient has moved", missing},
		{"Exchange, not found", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", missing},
		{"null MX", "556 5.1.10 Recipient address has null MX", missing},
		{"disabled", "550 5.2.1 The email account that you tried to reach is disabled", missing},
		{"554 and its enhanced code", "554 5.1.1 no such user", missing},
		{"Exchange Online", "550 5.4.1 Recipient address rejected: Access denied. [DB5EUR01FT064.eop-EUR01.prod.protection.outlook.example]", missing},
		{"qmail with the code at the end", "550 sorry, no mailbox here by that name. (#5.1.1)", missing},

		{"no code, 550", "550 No such user here", bare},
		{"Exim, unknown", "550 Unrouteable address", bare},
		{"Exim, no relay: looks the same", "550 relay not permitted", bare},
		{"551 without a code", "551 User not local", bare},
		{"553 without a code", "553 mailbox name not allowed", bare},

		{"banned", "550 5.7.606 Access denied, banned sending IP [192.0.2.1]", unclear},
		{"relay denied", "554 5.7.1 <x@y.example>: Relay access denied", unclear},
		{"550 5.7.1", "550 5.7.1 Unable to relay", unclear},
		{"qmail, no relay", "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", unclear},
		{"full", "552 5.2.2 Mailbox full", unclear},
		{"full with 550", "550 5.2.2 Over quota", unclear},
		{"too long for the mailbox", "550 5.2.3 Message too long", unclear},
		{"5.3.0", "550 5.3.0 Other mail system problem", unclear},
		{"5.4.1 of another code", "554 5.4.1 No answer from host", unclear},
		{"5.4.4", "550 5.4.4 Unable to route", unclear},
		{"out of order", "503 5.5.1 Error: need MAIL command", unclear},
		{"syntax without a code", "501 Syntax error", unclear},
		{"unknown command", "500 what?", unclear},
		{"no mail here", "521 5.1.1 Host does not accept mail", unclear},
		{"log in first", "530 5.1.1 Authentication required", unclear},
		{"TLS first", "530 5.7.0 Must issue a STARTTLS command first", unclear},
		{"554 without a code", "554 delivery error: dd This user doesn't have an account", unclear},
		{"552 without a code", "552 too much", unclear},
		{"a success's code behind 550", "550 2.1.5 what", unclear},
		{"a temporary code behind 550", "550 4.2.1 try later", unclear},

		{"greylisted", "450 4.2.0 Greylisted", unclear},
		{"in progress", "450 4.1.1 <x@y.example>: Recipient address rejected: unverified address: Address verification in progress", unclear},
		{"451 with a permanent code", "451 5.1.1 hm", unclear},
		{"closing", "421 4.7.0 mx Error: too many errors", unclear},
		{"full for now", "452 4.2.2 Mailbox full", unclear},
		{"354", "354 go on", unclear},

		{"two codes", "550-5.1.1 no such user|550 5.7.1 and we do not like you", unclear},
		{"two codes, the other way round", "550-5.7.1 we do not like you|550 5.1.1 no such user", unclear},
		{"no code: a number of another form", "550 5.1 x", bare},
		{"no code: an address", "550 192.0.2.1 is not known", bare},
		{"no code: too long a part", "550 5.1.1111 x", bare},
		{"no code: sticks to a word", "550 5.1.1: x", bare},
		{"no text", "550", bare},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := readReply(bufio.NewReader(strings.NewReader(strings.ReplaceAll(test.said, "|", "\r\n") + "\r\n")))
			if err != nil {
				t.Fatal(err)
			}
			if got := r.judge(); got != test.want {
				t.Errorf("judged %d, want %d", got, test.want)
			}
		})
	}
}
