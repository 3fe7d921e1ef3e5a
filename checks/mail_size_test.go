package checks

import (
	"strings"
	"testing"
)

func TestSize(t *testing.T) {
	const (
		atMail, atRcpt, atEnd = "mail 554 5.3.4 Maximum email size exceeded", "rcpt 554 5.3.4 Maximum email size exceeded", "end 554 5.3.4 Maximum email size exceeded"
	)
	body := strings.Repeat("x", 2000) // with one blank line in front, 2002 octets
	limits := "--size-limits=" + file(t, "limits", "small@ours.example 1KiB\nlarge@ours.example 1MiB\nany@ours.example 0\nthrifty@else.example 1KiB\ntiny.example 100B\n")
	only(Size).play(t, []string{"--size-max=2002"}, []scenario{
		{name: "just fits", mail: letter{size: 2002, body: body}},
		{name: "declared", mail: letter{size: 2003}, said: atMail, events: "size refused", cause: "declared 2003 octets, limit 2002"},
		{name: "counted", mail: letter{body: body + "x"}, said: atEnd, cause: "counted 2003 octets, limit 2002"},
		{name: "counted with its header", mail: letter{header: []string{"Subject: x"}, body: body}, said: atEnd},
		{name: "lied", mail: letter{size: 1, body: body + "x"}, said: atEnd},
		{name: "unreadable declaration", mail: letter{size: -1}},
		{name: "trusted", mail: letter{client: "127.0.0.1", size: 2003}, said: atMail},
		{name: "local submission", mail: letter{client: "none", body: body + "x"}, said: atEnd},
		{name: "no limit", flags: []string{"--size-max=0"}, mail: letter{size: 1 << 40, body: body + "x"}},
		{name: "monitor", flags: []string{"--size=monitor"}, mail: letter{size: 2003}, events: "size would refuse"},
		{name: "defer", flags: []string{"--size=defer"}, mail: letter{size: 2003}, said: "mail 451 4.3.4 Maximum email size exceeded"},
		{name: "recipient's smaller limit, declared", flags: []string{limits}, mail: letter{size: 1025, to: []string{"small@ours.example", "user@ours.example"}}, said: atRcpt},
		{name: "declared, with limits, at RCPT", flags: []string{limits}, mail: letter{size: 2003}, said: atRcpt},
		{name: "recipient's greater limit", flags: []string{limits}, mail: letter{size: 2003, to: []string{"large@ours.example"}, body: body + "x"}},
		{name: "recipient without a limit", flags: []string{limits}, mail: letter{size: 2003, to: []string{"any@ours.example"}, body: body + "x"}},
		{name: "sender's limit, at MAIL", flags: []string{limits}, mail: letter{size: 1025, from: "thrifty@else.example"}, said: atMail},
		{name: "sender's domain", flags: []string{limits}, mail: letter{size: 101, from: "a@sub.tiny.example"}, said: atMail},
		{name: "sender's counts where smaller", flags: []string{limits}, mail: letter{from: "thrifty@else.example", to: []string{"large@ours.example"}, body: body}, said: atEnd},
		{name: "counted: not too large for one of two", flags: []string{limits}, mail: letter{to: []string{"small@ours.example", "user@ours.example"}, body: body}},
		{name: "counted: too large for both", flags: []string{limits}, mail: letter{to: []string{"small@ours.example", "user@ours.example"}, body: body + "x"}, said: atEnd},
		{name: "limits alone", flags: []string{"--size-max=0", limits}, mail: letter{size: 1025, to: []string{"small@ours.example", "user@ours.example"}}, said: atRcpt},
	})
	wrong := file(t, "limits", "a@ours.example 10MiB\nb@ours.example ten\n")
	only(Size).wantError(t, wrong+`:2: `, "--size-limits="+wrong)
}
