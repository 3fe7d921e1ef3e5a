package size

import (
	"strings"
	"testing"

	"mailweir/internal/policytest"
)

func TestSize(t *testing.T) {
	const (
		atMail, atRcpt, atEnd = "mail 554 5.3.4 Maximum email size exceeded", "rcpt 554 5.3.4 Maximum email size exceeded", "end 554 5.3.4 Maximum email size exceeded"
	)
	body := strings.Repeat("x", 2000) // with one blank line in front, 2002 octets
	limits := "--size-limits=" + policytest.File(t, "limits", "small@ours.example 1KiB\nlarge@ours.example 1MiB\nany@ours.example 0\nthrifty@else.example 1KiB\ntiny.example 100B\n")
	policytest.Only(Check).Play(t, []string{"--size-max=2002"}, []policytest.Scenario{
		{Name: "just fits", Mail: policytest.Letter{Size: 2002, Body: body}},
		{Name: "declared", Mail: policytest.Letter{Size: 2003}, Said: atMail, Events: "size refused", Cause: "declared 2003 octets, limit 2002"},
		{Name: "counted", Mail: policytest.Letter{Body: body + "x"}, Said: atEnd, Cause: "counted 2003 octets, limit 2002"},
		{Name: "counted with its header", Mail: policytest.Letter{Header: []string{"Subject: x"}, Body: body}, Said: atEnd},
		{Name: "lied", Mail: policytest.Letter{Size: 1, Body: body + "x"}, Said: atEnd},
		{Name: "unreadable declaration", Mail: policytest.Letter{Size: -1}},
		{Name: "trusted", Mail: policytest.Letter{Client: "127.0.0.1", Size: 2003}, Said: atMail},
		{Name: "local submission", Mail: policytest.Letter{Client: "none", Body: body + "x"}, Said: atEnd},
		{Name: "no limit", Flags: []string{"--size-max=0"}, Mail: policytest.Letter{Size: 1 << 40, Body: body + "x"}},
		{Name: "monitor", Flags: []string{"--size=monitor"}, Mail: policytest.Letter{Size: 2003}, Events: "size would_refuse"},
		{Name: "defer", Flags: []string{"--size=defer"}, Mail: policytest.Letter{Size: 2003}, Said: "mail 451 4.3.4 Maximum email size exceeded"},
		{Name: "recipient's smaller limit, declared", Flags: []string{limits}, Mail: policytest.Letter{Size: 1025, To: []string{"small@ours.example", "user@ours.example"}}, Said: atRcpt},
		{Name: "declared, with limits, at RCPT", Flags: []string{limits}, Mail: policytest.Letter{Size: 2003}, Said: atRcpt},
		{Name: "recipient's greater limit", Flags: []string{limits}, Mail: policytest.Letter{Size: 2003, To: []string{"large@ours.example"}, Body: body + "x"}},
		{Name: "recipient without a limit", Flags: []string{limits}, Mail: policytest.Letter{Size: 2003, To: []string{"any@ours.example"}, Body: body + "x"}},
		{Name: "sender's limit, at MAIL", Flags: []string{limits}, Mail: policytest.Letter{Size: 1025, From: "thrifty@else.example"}, Said: atMail},
		{Name: "sender's domain", Flags: []string{limits}, Mail: policytest.Letter{Size: 101, From: "a@sub.tiny.example"}, Said: atMail},
		{Name: "sender's counts where smaller", Flags: []string{limits}, Mail: policytest.Letter{From: "thrifty@else.example", To: []string{"large@ours.example"}, Body: body}, Said: atEnd},
		{Name: "counted: not too large for one of two", Flags: []string{limits}, Mail: policytest.Letter{To: []string{"small@ours.example", "user@ours.example"}, Body: body}},
		{Name: "counted: too large for both", Flags: []string{limits}, Mail: policytest.Letter{To: []string{"small@ours.example", "user@ours.example"}, Body: body + "x"}, Said: atEnd},
		{Name: "limits alone", Flags: []string{"--size-max=0", limits}, Mail: policytest.Letter{Size: 1025, To: []string{"small@ours.example", "user@ours.example"}}, Said: atRcpt},
	})
	wrong := policytest.File(t, "limits", "a@ours.example 10MiB\nb@ours.example ten\n")
	policytest.Only(Check).WantError(t, wrong+`:2: `, "--size-limits="+wrong)
}
