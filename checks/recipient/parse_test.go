package recipient

import (
	"strings"
	"testing"

	"mailweir/internal/address"
	"mailweir/internal/policytest"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]struct {
		target
		spec string
	}{
		"example.org=texthash:/r":                      {target{domain: "example.org"}, "texthash:/r"},
		"Example.ORG.=/r":                              {target{domain: "example.org"}, "/r"},
		" example.org = /r ":                           {target{domain: "example.org"}, "/r"},
		"*=lmtp:unix:/run/lmtp":                        {target{}, "lmtp:unix:/run/lmtp"},
		"example.org=smtp:[2001:db8::1]:25":            {target{domain: "example.org"}, "smtp:[2001:db8::1]:25"},
		"[IPv6:2001:db8::1]=smtp:next":                 {target{domain: "[ipv6:2001:db8::1]"}, "smtp:next"},
		"bücher.example=/r":                            {target{domain: "xn--bcher-kva.example"}, "/r"},
		"noreply@example.org=send-only":                {target{address: "noreply@example.org"}, "send-only"},
		"example.org=inline:{bob@example.org=x}":       {target{domain: "example.org"}, "inline:{bob@example.org=x}"},
		`"a=b"@example.org=send-only`:                  {target{address: "a=b@example.org"}, "send-only"},
		`"a\"=b"@example.org=send-only`:                {target{address: `a"=b@example.org`}, "send-only"},
		"example.org=proxy:ldap:/etc/postfix/users.cf": {target{domain: "example.org"}, "proxy:ldap:/etc/postfix/users.cf"},
	} {
		if got, spec, err := parse(text); err != nil || got != want.target || spec != want.spec {
			t.Errorf("%s: %+v, %q, %v", text, got, spec, err)
		}
	}
	for text, want := range map[string]string{
		"":                           "want DOMAIN=SOURCE",
		"example.org":                "want DOMAIN=SOURCE",
		"=/r":                        "no domain stands before",
		"example.org=":               "no source stands behind",
		".example.org=/r":            "does not stand for its sub-domains",
		"*.example.org=/r":           "does not stand for its sub-domains",
		"@example.org=/r":            "without the @",
		"bob@=/r":                    "neither a domain nor an address",
		"exa mple.org=/r":            "neither a domain nor an address",
		"example.org,example.net=/r": "neither a domain nor an address",
		"example.org=sendonly":       `"sendonly" is no source`,
		"a=b@example.org=send-only":  "a local part with = stands in quotes",
		`"bob@example.org=send-only`: "want DOMAIN=SOURCE",
		"texthash:/r=example.org":    "neither a domain nor an address",
	} {
		if _, _, err := parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"example.org=/r", "*=lmtp:unix:/run/lmtp", `"a=b"@example.org=send-only`, "[IPv6:::1]=smtp:[::1]:25", "a@b=c", "@=", "=*", "bücher.example=x:y", `\"=a:b`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		to, spec, err := parse(text)
		switch {
		case err != nil:
			return
		case spec == "" || to.address != "" && to.domain != "":
			t.Fatalf("%+v %q", to, spec)
		case to.domain != "" && to.domain != address.NormalDomain(to.domain):
			t.Fatalf("the domain %q is not normal", to.domain)
		case to.address != "" && !strings.Contains(to.address, "@"):
			t.Fatalf("the address %q has no domain", to.address)
		}
	})
}

func TestErrors(t *testing.T) {
	file := func(text string) string { return policytest.File(t, "r", text) }
	rig().WantError(t, "--recipient-source: \"example.org\": want DOMAIN=SOURCE", "--recipient-source=example.org")
	rig().WantError(t, "--recipient-source: table", "--recipient-source=ours.example=/no/such/file")
	rig().WantError(t, "a table of nets can never match", "--recipient-source=ours.example=cidr:"+file("192.0.2.0/24 x\n"))
	rig().WantError(t, "there is no recipient in it", "--recipient-source=ours.example="+file("# none\n"))
	for entry, want := range map[string]string{
		"bob@ours.example REJECT":          `"REJECT" is an action`,
		"bob@ours.example reject no":       `"reject no" is an action`,
		"bob@ours.example DEFER_IF_PERMIT": "is an action",
		"bob@ours.example 550 5.1.1 no":    `"550 5.1.1 no" is an action`,
		"bob@ x":                           `"bob@" can never match: write "bob"`,
		".ours.example x":                  "a domain does not stand for its sub-domains",
		"*@ours.example x":                 `write "@ours.example" for all addresses of the domain`,
		"postmaster: root":                 "a file of aliases",
		"<> x":                             `"<>" can never match: it is no recipient`,
	} {
		name := file("a@ours.example x\n" + entry + "\n")
		rig().WantError(t, want, "--recipient-source=ours.example="+name)
		rig().WantError(t, name+":2: ", "--recipient-source=ours.example="+name)
	}
	for entry, want := range map[string]string{
		"bob@ours.example HOLD":              "the action HOLD is Postfix's own; leave the entry there",
		"bob@ours.example FILTER smtp:x":     "the action FILTER is Postfix's own",
		"bob@ours.example REDIRECT a@b.c":    "the action REDIRECT is Postfix's own",
		"bob@ours.example reject_unknown":    "unknown action",
		"bob@ours.example permit_mynetworks": "unknown action",
	} {
		name := file(entry + "\n")
		rig().WantError(t, want, "--recipient-access="+name)
		rig().WantError(t, name+":1: ", "--recipient-access="+name)
	}
	s, world := new(site), policytest.NewWorld()
	world.Mailboxes = s.open
	if _, err := rig().Build(world, "--recipient-source=*=smtp:"); err == nil || err.Error() != "--recipient-source: smtp:: no host" {
		t.Errorf("a server: %v", err)
	}
}

// Values that would say something else than that the recipient exists.
func TestActions(t *testing.T) {
	for _, value := range []string{"REJECT", "reject nobody", "DUNNO", "DEFER", "DEFER_IF_PERMIT x", "550 no", "450 4.2.1 later"} {
		if validValue(value) == nil {
			t.Errorf("%s is taken", value)
		}
	}
}

// Values that say nothing but that the recipient exists.
func TestValues(t *testing.T) {
	for _, value := range []string{"x", "OK", "bob/", "501", "bob, eve@far.example", "rejected", "550/Maildir", "|/usr/bin/program", "1", "350 x", "5000 x", "55a x", "OK x"} {
		if err := validValue(value); err != nil {
			t.Errorf("%s: %v", value, err)
		}
	}
}

func TestRemarks(t *testing.T) {
	locals := "--local-domains=inline:{a.example=x, b.example=x}"
	for _, c := range []struct {
		name  string
		flags []string
		want  string // "" for none
	}{
		{"all is well", []string{locals, "--recipient-source=*=inline:{bob=x}"}, ""},
		{"a domain without", []string{locals, "--recipient-source=a.example=inline:{bob=x}"}, "no --recipient-source says who exists in b.example: mail to any address there is accepted"},
		{"not local", []string{locals, "--recipient-source=*=inline:{bob=x}", "--recipient-source=far.example=send-only", "--recipient-source=x@else.example=send-only"}, "--recipient-source names else.example, far.example, not in --local-domains: mail to there is not judged"},
		{"* is never asked", []string{locals, "--recipient-source=*=inline:{bob=x}", "--recipient-source=a.example=send-only", "--recipient-source=b.example=send-only"}, "--recipient-source *=inline:{bob=x} is never asked: every local domain has a source of its own"},
		{"* without local domains", []string{"--recipient-source=*=inline:{bob=x}"}, "--recipient-source *=inline:{bob=x} is never asked: without --local-domains no domain is known to be local"},
		{"catch-all", []string{locals, "--recipient-source=*=inline:{@a.example=x}"}, "inline:{@a.example=x} says that every address exists, so nobody is refused, in a.example"},
		{"static", []string{locals, "--recipient-source=*=send-only", "--recipient-source=a.example=static:x"}, "static:x says that every address exists, so nobody is refused, in a.example"},
		{"a catch-all for many", []string{"--local-domains=inline:{a.example=x, b.example=x, c.example=x, d.example=x, e.example=x, f.example=x, g.example=x}", "--recipient-source=*=static:x"}, "static:x says that every address exists, so nobody is refused, in a.example, b.example, c.example, d.example, e.example and 2 more"},
		{"a catch-all for five", []string{"--local-domains=inline:{a.example=x, b.example=x, c.example=x, d.example=x, e.example=x}", "--recipient-source=*=static:x"}, "static:x says that every address exists, so nobody is refused, in a.example, b.example, c.example, d.example, e.example"},
		{"access", []string{locals, "--recipient-source=*=inline:{bob=x}", "--recipient-access=inline:{a.example=OK}"}, "--recipient-access says OK to every address (inline:{a.example=OK}), so sources are never asked, in a.example"},
		{"send-only and another", []string{locals, "--recipient-source=*=inline:{bob=x}", "--recipient-source=a.example=send-only", "--recipient-source=a.example=inline:{bob=x}"}, "--recipient-source DOMAIN=send-only does nothing beside another source, since one that says yes is enough, for a.example"},
		{"a domain as key", []string{locals, "--recipient-source=*=send-only", "--recipient-source=a.example=inline:{a.example=x}"}, "a domain as a key of its own source is never asked for, and all its addresses would be @DOMAIN: a.example"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := rig().BuildBare(policytest.NewWorld(), c.flags...)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			var got []string
			for _, r := range p.Remarks() {
				if strings.Contains(r, "recipient") || strings.Contains(r, "a.example") {
					got = append(got, r)
				}
			}
			if strings.Join(got, "\n") != c.want {
				t.Errorf("remarks:\n%s\nwant:\n%s", strings.Join(got, "\n"), c.want)
			}
		})
	}
}
