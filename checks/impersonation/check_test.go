package impersonation

import (
	"strings"
	"testing"

	"mailweir/internal/policytest"
)

const refused = "end 550 5.7.1 Sender name not permitted for this address"

func from(values ...string) policytest.Letter {
	l := policytest.Letter{}
	for _, v := range values {
		l.Header = append(l.Header, "From: "+v)
	}
	return l
}

func listed(l policytest.Letter) policytest.Letter {
	l.Header = append(l.Header, "List-Id: <dev.lists.partner.example>")
	return l
}

func TestImpersonation(t *testing.T) {
	names := policytest.File(t, "names", `
"jane doe"          jane@freemail.example, partner.example
"Ian P. Miller"     OK
"*"                 docusign.example
jürgen.müller       OK
王小明              OK
"Иван Петров"       OK
`)
	flags := []string{"--impersonation=enforce", "--header-from-names=" + names}
	policytest.Only(Check).Play(t, flags, []policytest.Scenario{
		{Name: "name over another address", Mail: from("Jane Doe <ceo77@mail.example>"), Said: refused, Events: "impersonation refused", Cause: `"Jane Doe" in header From is jane.doe of ` + names + `:2, and stands over "ceo77@mail.example"`},
		{Name: "ours", Mail: from("Jane Doe <jane@ours.example>")},
		{Name: "ours, another mailbox", Mail: from("Jane Doe <x@ours.example>")},
		{Name: "her own address", Mail: from("Jane Doe <jane@freemail.example>")},
		{Name: "her own address with an extension", Mail: from("Jane Doe <jane+list@freemail.example>")},
		{Name: "another one there", Mail: from("Jane Doe <jane2@freemail.example>"), Said: refused},
		{Name: "domain of the entry", Mail: from("Jane Doe <j.doe@partner.example>")},
		{Name: "its sub-domain", Mail: from("Jane Doe <j.doe@eu.partner.example>")},
		{Name: "a domain that ends like it", Mail: from("Jane Doe <j.doe@notpartner.example>"), Said: refused},
		{Name: "another's domain", Mail: from("Ian Miller <ian@partner.example>"), Said: refused},
		{Name: "domain for everybody", Mail: from("Ian Miller <dse@eu.docusign.example>")},
		{Name: "another name", Mail: from("John Roe <x@mail.example>")},
		{Name: "a longer name", Mail: from("Jane Doering <x@mail.example>")},
		{Name: "first name alone", Mail: from("Jane <x@mail.example>")},
		{Name: "no name", Mail: from("x@mail.example")},
		{Name: "no From"},
		{Name: "no address", Mail: from("Jane Doe"), Said: refused, Cause: "stands over no address"},
		{Name: "no address but ours within", Mail: from(`"Jane Doe" <jane>`), Said: refused},
		{Name: "in another field", Mail: policytest.Letter{Header: []string{"Reply-To: Jane Doe <x@mail.example>", "From: a@mail.example"}}},
		{Name: "envelope of ours", Mail: policytest.Letter{From: "jane@ours.example", Header: []string{"From: Jane Doe <x@mail.example>"}}, Said: refused},

		// How it is written.
		{Name: "case", Mail: from("JANE doe <x@mail.example>"), Said: refused},
		{Name: "order", Mail: from(`"Doe, Jane" <x@mail.example>`), Said: refused},
		{Name: "order without quotes", Mail: from("Doe, Jane <x@mail.example>"), Said: refused},
		{Name: "order, and more, with holes", Mail: from(`"Doe,, Jane, Acme" <x@mail.example>`), Said: refused},
		{Name: "a comma at the end", Mail: from("Roe, <x@mail.example>")},
		{Name: "order, and more", Mail: from(`"Doe, Jane, Acme" <x@mail.example>`), Said: refused},
		{Name: "title", Mail: from("Dr. Jane Doe, PhD <x@mail.example>"), Said: refused},
		{Name: "office", Mail: from("CEO Jane Doe <x@mail.example>"), Said: refused},
		{Name: "initial", Mail: from("Jane Q. Doe <x@mail.example>"), Said: refused},
		{Name: "without the initial of the entry", Mail: from("ian miller <x@mail.example>"), Said: refused},
		{Name: "blanks", Mail: from("J a n e\u00a0 D\u2003oe <x@mail.example>"), Said: refused},
		{Name: "no blank", Mail: from("JaneDoe <x@mail.example>"), Said: refused},
		{Name: "dots and hyphens", Mail: from("jane.doe- <x@mail.example>"), Said: refused},
		{Name: "accents", Mail: from("Jäné Dòę <x@mail.example>"), Said: refused},
		{Name: "umlauts", Mail: from("Juergen Mueller <x@mail.example>"), Said: refused},
		{Name: "no umlauts", Mail: from("Jurgen Muller <x@mail.example>"), Said: refused},
		{Name: "umlauts in pieces", Mail: from("Ju\u0308rgen Mu\u0308ller <x@mail.example>"), Said: refused},
		{Name: "apostrophes", Mail: from("'Jane Doe' <x@mail.example>"), Said: refused},
		{Name: "Cyrillic letters", Mail: from("Jаnе Dое <x@mail.example>"), Said: refused},
		{Name: "Greek letters", Mail: from("Jαne Dοe <x@mail.example>"), Said: refused},
		{Name: "Latin letters in a Cyrillic name", Mail: from("Ивaн Пeтpoв <x@mail.example>"), Said: refused},
		{Name: "zero for o", Mail: from("Jane D0e <x@mail.example>"), Said: refused},
		{Name: "I for l", Mail: from("lan MiIler <x@mail.example>"), Said: refused},
		{Name: "stroke for l", Mail: from("Ian Mi|ler <x@mail.example>"), Said: refused},
		{Name: "one for i in capitals", Mail: from("1AN M1LLER <x@mail.example>"), Said: refused},
		{Name: "rn for m", Mail: from("Ian rniller <x@mail.example>"), Said: refused},
		{Name: "somebody called Lan", Mail: from("Lan Miller <x@mail.example>")},
		{Name: "full width", Mail: from("Ｊａｎｅ　Ｄｏｅ <x@mail.example>"), Said: refused},
		{Name: "mathematical letters", Mail: from("𝐉𝐚𝐧𝐞 𝐃𝐨𝐞 <x@mail.example>"), Said: refused},
		{Name: "nothing in between", Mail: from("Ja\u200bne\u00ad D\u2060oe\ufe0f <x@mail.example>"), Said: refused},
		{Name: "from right to left", Mail: from("\u202aJane Doe\u202c <x@mail.example>"), Said: refused},
		{Name: "Chinese", Mail: from("王小明 <x@mail.example>"), Said: refused},
		{Name: "another one", Mail: from("王小朋 <x@mail.example>")},

		// Where it stands.
		{Name: "encoded word", Mail: from("=?utf-8?B?SmFuZSBEb2U=?= <x@mail.example>"), Said: refused},
		{Name: "encoded in pieces", Mail: from("=?utf-8?Q?Jane?= =?utf-8?Q?_Doe?= <x@mail.example>"), Said: refused},
		{Name: "encoded with its address", Mail: from("=?utf-8?Q?Jane_Doe_<x=40mail.example>?= <x@mail.example>"), Said: refused},
		{Name: "quoted in part", Mail: from(`"Jane" Doe <x@mail.example>`), Said: refused},
		{Name: "comment", Mail: from("x@mail.example (Jane Doe)"), Said: refused},
		{Name: "behind the address", Mail: from("<x@mail.example> Jane Doe"), Said: refused},
		{Name: "around the address", Mail: from("Jane <x@mail.example> Doe"), Said: refused},
		{Name: "unclosed", Mail: from(`"Jane Doe <x@mail.example`), Said: refused},
		{Name: "group", Mail: from("Jane Doe: x@mail.example;"), Said: refused},
		{Name: "in angle brackets", Mail: from("<Jane Doe> <x@mail.example>"), Said: refused},
		{Name: "no brackets", Mail: from("Jane Doe x@mail.example"), Said: refused},
		{Name: "name beside the address", Mail: from(`"Jane Doe jane@ours.example" <x@mail.example>`), Said: refused},
		{Name: "in brackets", Mail: from(`"Office [Jane Doe]" <x@mail.example>`), Said: refused},
		{Name: "before brackets", Mail: from("Jane Doe (Finance) <x@mail.example>"), Said: refused},
		{Name: "before a dash", Mail: from("Jane Doe - Finance <x@mail.example>"), Said: refused},
		{Name: "before a stroke", Mail: from(`"Jane Doe | Finance" <x@mail.example>`), Said: refused},
		{Name: "second mailbox", Mail: from("Bob <bob@ours.example>, Jane Doe <x@mail.example>"), Said: refused},
		{Name: "an address of ours in front", Mail: from("jane@ours.example, Jane Doe <x@mail.example>"), Said: refused},
		{Name: "second field", Mail: from("a@ours.example", "Jane Doe <x@mail.example>"), Said: refused},
		{Name: "name in one field, address in another", Mail: from("Jane Doe <a@ours.example>", "x@mail.example"), Said: refused},
		{Name: "name of two mailboxes", Mail: from("Jane <a@mail.example>, Doe <b@mail.example>")},
		{Name: "within a sentence", Mail: from("Friends of Jane Doe <x@mail.example>")},

		// What says itself where it comes from.
		{Name: "via a service", Mail: from("Jane Doe via Sign Carrier <noreply@mail.carrier.example>")},
		{Name: "via another service", Mail: from("Jane Doe via Mail <x@carrier.example>"), Said: refused},
		{Name: "via the name of a host", Mail: from("Jane Doe via Mail <x@mail.carrier.example>"), Said: refused},
		{Name: "via, in brackets", Mail: from(`"Jane Doe (via Carrier)" <x@carrier.example>`)},
		{Name: "organisation", Mail: from("Jane Doe (Big Freight) <x@big-freight.example>")},
		{Name: "organisation behind a dash", Mail: from("Jane Doe - Carrier Inc <x@carrier.example>")},
		{Name: "via a free mailer", Mail: from("Jane Doe via Gmail <x@gmail.com>"), Said: refused},
		{Name: "via us", Mail: from("Jane Doe via Ours <x@ours.test>"), Said: refused},
		{Name: "via something like us", Mail: from("Jane Doe - 0urs Mail <x@ours-mail.example>"), Said: refused},
		{Name: "via a list", Mail: listed(from("'Jane Doe' via dev <dev@lists.partners.example>"))},
		{Name: "via a list, in brackets", Mail: listed(from(`"Jane Doe (via dev)" <dev@lists.partners.example>`))},
		{Name: "organisation of three letters", Mail: from("Jane Doe (IBX) <x@ibx.example>")},
		{Name: "organisation of two letters", Mail: from("Jane Doe (HP) <x@hp.example>"), Said: refused},
		{Name: "via a list that is none", Mail: from("'Jane Doe' via dev <dev@lists.partners.example>"), Said: refused},
		{Name: "via another list", Mail: listed(from("Jane Doe via payroll <dev@lists.partners.example>")), Said: refused},
		{Name: "a list, without via", Mail: listed(from("Jane Doe (dev) <dev@lists.partners.example>")), Said: refused},
		{Name: "a list, without more", Mail: listed(from("Jane Doe <dev@lists.partners.example>")), Said: refused},
		{Name: "via, and not left alone", Flags: []string{"--impersonation-via=off"}, Mail: from("Jane Doe via Carrier <x@carrier.example>"), Said: refused},
		{Name: "first name via a list", Mail: from("Jane via dev <dev@lists.partners.example>")},

		// To whom it applies.
		{Name: "trusted", Mail: policytest.Letter{Client: "127.0.0.1", Header: []string{"From: Jane Doe <x@mail.example>"}}},
		{Name: "login", Mail: policytest.Letter{Login: "bob", Header: []string{"From: Jane Doe <x@mail.example>"}}},
		{Name: "local submission", Mail: policytest.Letter{Client: "none", Header: []string{"From: Jane Doe <x@mail.example>"}}},
		{Name: "inbound relay", Flags: []string{"--inbound-relays=inline:{192.0.2=x}"}, Mail: from("Jane Doe <x@mail.example>"), Said: refused},
		{Name: "permitted client", Flags: []string{"--permit-clients=static:OK", "--permit-senders=static:OK"}, Mail: from("Jane Doe <x@mail.example>"), Said: refused},
		{Name: "monitored by default", Flags: []string{"--impersonation=monitor"}, Mail: from("Jane Doe <x@mail.example>"), Events: "impersonation would_refuse"},
		{Name: "defer", Flags: []string{"--impersonation=defer"}, Mail: from("Jane Doe <x@mail.example>"), Said: "end 451 4.7.1 Sender name not permitted for this address"},
		{Name: "pilot: for all", Flags: []string{"--enforce-for=inline:{user@ours.example=x}"}, Mail: from("Jane Doe <x@mail.example>"), Said: refused},
	})
	if Check.Mode.String() != "monitor" {
		t.Errorf("the mode is %s", Check.Mode)
	}
}

func TestErrors(t *testing.T) {
	for line, want := range map[string]string{
		`"jane" OK`:                "one word",
		`王 OK`:                     "one word",
		`"..." OK`:                 "is no name",
		`jane@ours.example OK`:     "is an address",
		`"jane doe" REJECT`:        "is neither an address nor a domain",
		`jane doe jane@x.example`:  `"jane doe" or jane.doe`,
		`"jane doe" @x.example`:    "a domain is written as x.example",
		`"jane doe" *.x.example`:   "which has its sub-domains",
		`"jane doe" <a@x.example>`: "neither an address nor a domain",
		`"jane doe" a@`:            "neither an address nor a domain",
		`"jane doe" ,`:             "write OK",
	} {
		names := policytest.File(t, "names", `"john roe" OK`+"\n"+line+"\n")
		policytest.Only(Check).WantError(t, names+":2: --header-from-names: ", "--header-from-names="+names)
		policytest.Only(Check).WantError(t, want, "--header-from-names="+names)
	}
	for _, spec := range []string{"static:OK", "regexp:" + policytest.File(t, "p", "/jane doe/ OK\n")} {
		policytest.Only(Check).WantError(t, "cannot be taken one by one", "--header-from-names="+spec)
	}
	list := policytest.File(t, "list", `"jane doe"`+"\n")
	policytest.Only(Check).Play(t, []string{"--impersonation=enforce", "--header-from-names=list:" + list}, []policytest.Scenario{
		{Name: "list of names", Mail: from("Jane Doe <x@mail.example>"), Said: refused, Cause: list + ":1"},
		{Name: "list of names, ours", Mail: from("Jane Doe <x@ours.example>")},
	})
	inline := `inline:{jane.doe=OK}`
	policytest.Only(Check).Play(t, []string{"--impersonation=enforce", "--header-from-names=" + inline, "--header-from-names=inline:{jane.doe=mail.example}"}, []policytest.Scenario{
		{Name: "entries of one name add up", Mail: from("Jane Doe <x@mail.example>")},
		{Name: "and no more", Mail: from("Jane Doe <x@else.example>"), Said: refused, Cause: inline},
	})
}

// What is not looked at is no reason to let mail pass.
func TestBounds(t *testing.T) {
	flags := []string{"--impersonation=enforce", "--header-from-names=inline:{jane.doe=mail.example}"}
	many := strings.Repeat("Jane Doe (x) <a@mail.example>, ", maxClaims+1)
	policytest.Only(Check).Play(t, flags, []policytest.Scenario{
		{Name: "long", Mail: from(strings.Repeat("(x)", 4<<10) + "Jane Doe <x@else.example>"), Said: refused},
		{Name: "long, and hers", Mail: from(strings.Repeat("(x)", 4<<10) + "Jane Doe <x@mail.example>")},
		{Name: "behind many names", Mail: from(strings.Repeat("John Roe <a@mail.example>, ", 1000) + "Jane Doe <x@else.example>"), Said: refused},
		{Name: "too many claims", Mail: from(many + "Jane Doe <a@mail.example>"), Said: "end 451 4.3.0 Unable to process email at this time", Events: "impersonation deferred"},
		{Name: "too many claims in a short field", Mail: from(strings.Repeat("Jane Doe,", maxClaims+1) + "<a@mail.example>"), Said: "end 451 4.3.0 Unable to process email at this time", Events: "impersonation deferred"},
		{Name: "too many claims, and one that is refuted", Mail: from(many + "x@else.example"), Said: refused},
	})
}
