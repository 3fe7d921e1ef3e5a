package content

import (
	"strings"
	"testing"

	"mailweir/internal/policytest"
)

func TestContent(t *testing.T) {
	const reply = "550 5.7.1 Message bounced due to Content Examination Policy"
	const refused = "end " + reply
	lottery := policytest.File(t, "lottery", "# what everyone has won\n!activation 10\n5:20 lottery\n10 regex win(ner)? +of +[0-9]+\n5 exclude raffle\n")
	definition := func(text string) string { return "--content-definition=" + policytest.File(t, "definition", text) }
	path := func(flag string) string { return strings.TrimPrefix(flag, "--content-definition=") }
	monitored := definition("!activation 1\n!action monitor\n1 lottery\n")
	deferred := definition("!activation 1\n!action defer\n1 lottery\n")
	tagged, held := definition("!activation 1\n!action tag\n1 lottery\n"), definition("!activation 1\n!action quarantine\n1 lottery\n")
	outbound := definition("!activation 1\n!direction outbound\n1 friday\n")
	toBoss := definition("!activation 1\n!to boss@ours.example\n1 friday\n")
	twice := policytest.Letter{Header: []string{"Subject: lottery"}, Body: "The Lottery\r\n"}
	friday := policytest.Letter{Body: "on friday\r\n"}
	policytest.Only(Check).Play(t, []string{"--content-definition=" + lottery}, []policytest.Scenario{
		{Name: "score reached", Mail: twice, Said: refused, Events: "content refused", Cause: lottery + ": score 10 of 10, reject (" + lottery + ":3 ×2 in"},
		{Name: "score not reached", Mail: policytest.Letter{Body: "a lottery\r\n"}},
		{Name: "part of a word", Mail: policytest.Letter{Body: "lotterys lotterys lotterys\r\n"}},
		{Name: "pattern", Mail: policytest.Letter{Body: "you are winner of 1000\r\n"}, Said: refused},
		{Name: "over a line break", Mail: policytest.Letter{Body: "you win\r\n of 1000\r\n"}},
		{Name: "exclude", Mail: policytest.Letter{Header: twice.Header, Body: "lottery, raffle\r\n"}},
		{Name: "encoded", Mail: policytest.Letter{Header: []string{"Content-Transfer-Encoding: base64", "Content-Type: text/plain"}, Body: "bG90dGVyeSBsb3R0ZXJ5\r\n"}, Said: refused},
		{Name: "encoded subject", Mail: policytest.Letter{Header: []string{"Subject: =?utf-8?b?bG90dGVyeSBsb3R0ZXJ5?="}}, Said: refused},
		{Name: "trusted", Mail: policytest.Letter{Client: "127.0.0.1", Header: twice.Header, Body: twice.Body}, Said: refused},
		{Name: "permitted", Flags: []string{"--permit-clients=static:OK"}, Mail: twice, Said: refused},
		{Name: "abuse", Mail: policytest.Letter{To: []string{"abuse@ours.example"}, Header: twice.Header, Body: twice.Body}},
		{Name: "bypass by sender", Flags: []string{"--content-bypass=inline:{ {sender@else.example=OK unverified} }"}, Mail: twice},
		{Name: "bypass by client", Flags: []string{"--content-bypass=inline:{192.0.2=OK}"}, Mail: twice},
		{Name: "DUNNO is no bypass", Flags: []string{"--content-bypass=inline:{{sender@else.example=DUNNO}, {else.example=OK}}"}, Mail: twice, Said: refused},
		{Name: "bypass by recipient", Flags: []string{"--content-bypass=inline:{user@ours.example=OK}"}, Mail: twice},
		{Name: "bypass for one of two", Flags: []string{"--content-bypass=inline:{user@ours.example=OK}"}, Mail: policytest.Letter{To: []string{"user@ours.example", "b@ours.example"}, Header: twice.Header, Body: twice.Body}, Said: refused},
		{Name: "monitor", Flags: []string{"--content=monitor"}, Mail: twice, Events: "content would_refuse"},
		{Name: "defer", Flags: []string{"--content=defer"}, Mail: twice, Said: "end 451 4.7.1 Message bounced due to Content Examination Policy"},
		{Name: "!action monitor", Flags: []string{monitored}, Mail: policytest.Letter{Body: "lottery\r\n"}, Events: "content would_refuse"},
		{Name: "!action defer", Flags: []string{deferred}, Mail: policytest.Letter{Body: "lottery\r\n"}, Said: "end 451 4.7.1 Message bounced due to Content Examination Policy"},
		{Name: "the strictest action counts", Flags: []string{monitored, deferred}, Mail: twice, Said: refused},
		{Name: "the strictest action counts, whatever the order", Flags: []string{deferred, monitored}, Mail: policytest.Letter{Body: "lottery\r\n"}, Said: "end 451 4.7.1 Message bounced due to Content Examination Policy"},
		{Name: "!action tag", Flags: []string{tagged}, Mail: policytest.Letter{Body: "lottery\r\n"}, Said: "end change X-Mailweir-Content: definition", Events: "content changed"},
		{Name: "!action quarantine", Flags: []string{held}, Mail: policytest.Letter{Body: "lottery\r\n"}, Said: "end change quarantine: content: definition", Events: "content changed"},
		{Name: "tag and quarantine together", Flags: []string{tagged, held, monitored}, Mail: policytest.Letter{Body: "lottery\r\n"}, Said: "end change quarantine: content: definition; X-Mailweir-Content: definition", Events: "content changed"},
		{Name: "every definition that fires is named", Flags: []string{tagged, held, deferred, monitored}, Mail: twice, Said: refused, Cause: strings.Join([]string{
			lottery + ": score 10 of 10, reject (" + lottery + ":3 ×2 in subject body)", path(tagged) + ": score 2 of 1, tag (" + path(tagged) + ":3 ×2 in subject body)",
			path(held) + ": score 2 of 1, quarantine (" + path(held) + ":3 ×2 in subject body)", path(deferred) + ": score 2 of 1, defer (" + path(deferred) + ":3 ×2 in subject body)",
			path(monitored) + ": score 2 of 1, monitor (" + path(monitored) + ":3 ×2 in subject body)",
		}, "; ")},
		{Name: "monitor beside tag", Flags: []string{monitored, tagged}, Mail: policytest.Letter{Body: "lottery\r\n"}, Said: "end change X-Mailweir-Content: definition", Events: "content changed", Cause: "monitor (" + path(monitored) + ":3 ×1 in body); " + path(tagged)},
		{Name: "two tags", Flags: []string{tagged, "--content-definition=" + policytest.File(t, "second", "!activation 1\n!action tag\n1 lottery\n")}, Mail: policytest.Letter{Body: "lottery\r\n"}, Said: "end change X-Mailweir-Content: definition; X-Mailweir-Content: second", Events: "content changed", Cause: "/second:3 ×1"},
		{Name: "two quarantines", Flags: []string{held, "--content-definition=" + policytest.File(t, "second", "!activation 1\n!action quarantine\n1 lottery\n")}, Mail: policytest.Letter{Body: "lottery\r\n"}, Said: "end change quarantine: content: definition, second", Events: "content changed", Cause: "/second:3 ×1"},
		{Name: "two that monitor", Flags: []string{monitored, "--content-definition=" + policytest.File(t, "second", "!activation 1\n!action monitor\n1 lottery\n")}, Mail: policytest.Letter{Body: "lottery\r\n"}, Events: "content would_refuse", Cause: "/second:3 ×1"},
		{Name: "definitions of others are named", Flags: []string{toBoss, outbound}, Mail: policytest.Letter{To: []string{"user@ours.example", "boss@ours.example"}, Header: twice.Header, Body: "lottery on friday\r\n"}, Said: refused, Cause: "subject body); " + path(toBoss)},
		{Name: "those of the bypass are not", Flags: []string{toBoss, "--content-bypass=inline:{boss@ours.example=OK}"}, Mail: policytest.Letter{To: []string{"user@ours.example", "boss@ours.example"}, Body: "on friday\r\n"}},
		{Name: "strictest of two recipients", Flags: []string{deferred, toBoss}, Mail: policytest.Letter{To: []string{"user@ours.example", "boss@ours.example"}, Body: "lottery on friday\r\n"}, Said: refused},
		{Name: "tag, monitored", Flags: []string{tagged, "--content=monitor"}, Mail: policytest.Letter{Body: "lottery\r\n"}, Events: "content would_change"},
		{Name: "tag, deferred", Flags: []string{tagged, "--content=defer"}, Mail: policytest.Letter{Body: "lottery\r\n"}, Events: "content would_change"},
		{Name: "tag and reject", Flags: []string{tagged}, Mail: twice, Said: refused},
		{Name: "!direction", Flags: []string{outbound}, Mail: friday},
		{Name: "!direction outbound", Flags: []string{outbound}, Mail: policytest.Letter{Client: "127.0.0.1", To: []string{"a@else.example"}, Body: friday.Body}, Said: refused},
		{Name: "!to", Flags: []string{toBoss}, Mail: friday},
		{Name: "!to one of two", Flags: []string{toBoss}, Mail: policytest.Letter{To: []string{"user@ours.example", "boss@ours.example"}, Body: friday.Body}, Said: refused},
		{Name: "no memory", Flags: []string{"--content-memory=1"}, Mail: twice, Events: "content check_error"},
		{Name: "no memory, deferred", Flags: []string{"--content-memory=1", "--content-on-error=defer"}, Mail: twice, Said: "end 451 4.3.0 Unable to process email at this time"},
		{Name: "local submission", Mail: policytest.Letter{Client: "none", Header: twice.Header, Body: twice.Body}, Said: refused},
	})
}

// The event names lines, never the text that matched.
func TestContentNamesNoText(t *testing.T) {
	p, err := policytest.Only(Check).Build(policytest.NewWorld(), "--content-definition="+policytest.File(t, "d", "!activation 1\n1 regex secret-[0-9]+\n"))
	if err != nil {
		t.Fatal(err)
	}
	c := policytest.Scenario{Mail: policytest.Letter{Body: "secret-4711\r\n"}, Said: "end 550 5.7.1 Message bounced due to Content Examination Policy"}
	seen := c.Check(t, p)
	if text := seen[0].Cause; strings.Contains(text, "4711") || !strings.Contains(text, ":2 ×1") {
		t.Errorf("cause %q", text)
	}
}

func TestContentErrors(t *testing.T) {
	wrong := policytest.File(t, "wrong", "!activation 1\n1 regex (\n")
	policytest.Only(Check).WantError(t, wrong+":2: ", "--content-definition="+wrong)
	good := policytest.File(t, "good", "!activation 1\n1 x\n")
	policytest.Only(Check).WantError(t, "--content-bypass", "--content-definition="+good, "--content-bypass=inline:{a@b.example=REJECT}")
}

// The name of a definition that tags or quarantines stands in the message or the MTA's log as it
// is.
func TestContentNames(t *testing.T) {
	const tag, hold = "!activation 1\n!action tag\n1 lottery\n", "!activation 1\n!action quarantine\n1 lottery\n"
	for _, name := range []string{"ünï.def", "a\nb.def", "a[b].def", strings.Repeat("x", 201) + ".def"} {
		for _, text := range []string{tag, hold} {
			policytest.Only(Check).WantError(t, ": rename it", "--content-definition="+policytest.File(t, name, text))
		}
	}
	lottery := policytest.Letter{Body: "lottery\r\n"}
	policytest.Only(Check).Play(t, nil, []policytest.Scenario{
		{Name: "hidden file", Flags: []string{"--content-definition=" + policytest.File(t, ".offers", tag)}, Mail: lottery, Said: "end change X-Mailweir-Content: .offers", Events: "content changed"},
		{Name: "a name with a blank", Flags: []string{"--content-definition=" + policytest.File(t, "special offers.def", tag)}, Mail: lottery, Said: "end change X-Mailweir-Content: special offers", Events: "content changed"},
		{Name: "any name that is not shown", Flags: []string{"--content-definition=" + policytest.File(t, "ünï.def", "!activation 1\n1 lottery\n")}, Mail: lottery, Said: "end 550 5.7.1 Message bounced due to Content Examination Policy"},
	})
	for _, c := range []struct {
		name          string
		first, second string
		want          int
	}{
		{"one name, two tags", policytest.File(t, "a.def", tag), policytest.File(t, "a.txt", tag), 1},
		{"two names", policytest.File(t, "a.def", tag), policytest.File(t, "b.def", tag), 0},
		{"one name, one tag", policytest.File(t, "a.def", tag), policytest.File(t, "a.def", hold), 0},
	} {
		p, err := policytest.Only(Check).Build(policytest.NewWorld(), "--content-definition="+c.first, "--content-definition="+c.second)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range p.Remarks() {
			if strings.Contains(r, "rename one") && strings.Contains(r, c.first) && strings.Contains(r, c.second) {
				got = append(got, r)
			}
		}
		if p.Close(); len(got) != c.want {
			t.Errorf("%s: %q, want %d", c.name, got, c.want)
		}
	}
}
