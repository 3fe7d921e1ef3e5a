package main

import (
	"fmt"
	"strings"
)

// letter is a message that a client sends, and what must come of it.
type letter struct {
	title   string
	client  string // its address, which XCLIENT has Postfix believe
	from    string
	to      []string
	message string
	want    string // beginning of a reply that must come
	check   string // the check that must answer, "" for none
}

const bob = "bob@example.org"

// letters are sent in this order, over a connection each.
func letters() []letter {
	return []letter{
		{
			title:   "A clean message is delivered",
			client:  "192.0.2.10",
			from:    "alice@example.net",
			to:      []string{bob},
			message: written("Alice <alice@example.net>", "lunch", "Noon at the bridge?"),
			want:    "250 2.0.0 Ok: queued as ",
		},
		{
			title:   "The address that the reader would see is on a block list",
			client:  "192.0.2.11",
			from:    "bounce-17@mailer.example",
			to:      []string{bob},
			message: written("Lucky Seven <win@casino.example>", "free chips", "Come and play."),
			want:    "550 5.7.1 Rejected by header based Blocked Senders",
			check:   "header-from",
		},
		{
			title:   "A message goes round and round",
			client:  "192.0.2.12",
			from:    "alice@example.net",
			to:      []string{bob},
			message: received(25) + written("Alice <alice@example.net>", "again", "Forwarded to you, and back."),
			want:    "554 5.4.6 Mail loop detected",
			check:   "hops",
		},
		{
			title:   "The client is on a DNS list",
			client:  "192.0.2.66",
			from:    "alice@example.net",
			to:      []string{bob},
			message: written("Alice <alice@example.net>", "hello", "Never sent: the recipient is refused."),
			want:    "550 5.7.1 bl.example Blocked - see Listed for the demo",
			check:   "rbl",
		},
		{
			title:  "The text adds up to a definition, in HTML and quoted-printable too",
			client: "192.0.2.13",
			from:   "heir@example.net",
			to:     []string{bob},
			message: "MIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n" +
				written("Barrister <heir@example.net>", "Your inheritance", "<p>You are the next of&nbsp;k<b>i</b>n =\nand heir to mill=69on<i></i> dollars.</p>"),
			want:  "550 5.7.1 Message bounced due to Content Examination Policy",
			check: "content",
		},
		{
			title:   "Too many recipients: the first three have the message, the others are put off",
			client:  "192.0.2.14",
			from:    "alice@example.net",
			to:      []string{"u1@example.org", "u2@example.org", "u3@example.org", "u4@example.org", "u5@example.org"},
			message: written("Alice <alice@example.net>", "to many", "Hello, all of you."),
			want:    "452 4.5.3 Too many recipients",
			check:   "rcpt-limit",
		},
	}
}

func written(from, subject, text string) string {
	return fmt.Sprintf("From: %s\nTo: <%s>\nSubject: %s\nMessage-ID: <demo@example.net>\nDate: Mon, 5 Jan 2026 10:00:00 +0000\n\n%s\n",
		from, bob, subject, text)
}

// received are the trace fields of n hops.
func received(n int) string {
	var b strings.Builder
	for i := n; i > 0; i-- {
		fmt.Fprintf(&b, "Received: from hop%d.example by hop%d.example; Mon, 5 Jan 2026 10:00:00 +0000\n", i, i+1)
	}
	return b.String()
}
