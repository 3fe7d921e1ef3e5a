package main

import (
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// policySet is a set of flags under a name.
type policySet struct {
	name  string
	flags []string
}

// policies are the default one with everything that examines content, and one that enforces every
// check, with lists and limits narrow enough to be met by some of the messages.
func policies() []policySet {
	both := []string{
		"--concurrency-domain=1000", // a place is given back a moment after the message
		"--log-level=debug", "--local-domains=inline:{example.org=x,example.com=x,off.example=x,tls.example=x}",
		"--trusted-nets=127.0.0.0/8,172.16.0.0/16", "--rbl-zone=bl.example", "--rhsbl-zone=dbl.example",
		"--signature-types=executable", "--signature-types=script", "--signature-types=macros", "--signature-types=encrypted",
		"--signature-types=disguised", "--signature-types=double-extension", "--signature-types=unexamined",
	}
	var enforced []string
	for _, check := range strings.Fields("tempblock concurrency outbound-limit reputation greylist truncated lockout") {
		enforced = append(enforced, "--"+check+"=enforce")
	}
	enforced = append(enforced,
		// Nothing depends on how long the messages take.
		"--reputation-half-life=87600h", "--reputation-min-events=2", "--reputation-defer-at=20", "--reputation-reject-at=50",
		"--tempblock-rules=blocked=3/100h,open-relay=2/100h", "--tempblock-for=100h", "--tempblock-max=100h", "--outbound-limit-rate=6/100h",
		"--greylist-delay=1ms", "--greylist-client-passes=3", "--greylist-bypass=cidr:$DIR/bypass",
		"--client-block-list=cidr:$DIR/clients", "--permit-clients=cidr:$DIR/permitted", "--inbound-relays=cidr:$DIR/relays",
		"--permit-senders=regexp:$DIR/permitted-senders", "--sender-block-list=regexp:$DIR/senders",
		"--sender-block-on=both", "--envelope-from-list=regexp:$DIR/envelope", "--header-from-list=regexp:$DIR/header",
		"--header-from-display", "--lockout-on=both", "--managed-list=$DIR/managed", "--account-list=inline:{off.example=both}",
		"--require-tls-routes=inline:{tls.example=tls>=1.2}", "--sender-login-map=$DIR/logins",
		"--size-limits=inline:{u3@example.org=6KiB,u4@example.org=64KiB}", "--size-max=128KiB", "--hops-max=9",
		"--rcpt-limit-max=2", "--signature-names=regexp:$DIR/names", "--address-strict",
	)
	return []policySet{{"default", both}, {"enforced", append(both, enforced...)}}
}

// lists are the files of the second policy.
var lists = map[string]string{
	"bypass":            "20.0.0.0/15 OK\n2001:db8::/33 OK\n",
	"clients":           "20.0.7.0/24 REJECT\n20.1.9.0/24 DEFER later\n20.0.0.0/22 DUNNO\n2001:db8:24::/48 REJECT\n",
	"permitted":         "20.0.11.0/24 OK\n20.1.14.0/24 OK\n",
	"relays":            "20.2.12.0/24 OK\n20.0.16.0/24 OK\n",
	"permitted-senders": "/@.*lists\\.sourceforge\\.net$/ OK\n/@linux\\.ie$/ OK unverified\n",
	"senders":           "/^[^@]*offer[^@]*@/ REJECT\n/@(yahoo|aol)\\.com$/ REJECT Not from there\n",
	"envelope":          "/\\.(biz|ru|tw)$/ REJECT\n/^[a-z]{12,}@/ 550 5.7.1 Long names\n",
	"header":            "/\\.(kr|cn|tw)$/ REJECT\n/^(info|sales)@/ REJECT\n",
	"managed": "u1@example.org block example.com hotmail.com permit linux.ie\nu2@example.org block msn.com yahoo.com\n" +
		"u5@example.com permit hotmail.com\n",
	"logins": "u0@example.org u0@example.org\nu1@example.org u1@example.org\nexample.org u2@example.org u3@example.org\n",
	"names":  "/\\.(exe|pif|scr|bat)$/ unwanted name\n/\\.gif$/ picture\n",
}

// write writes the lists and returns the flags with their place filled in.
func (p policySet) write(dir string) ([]string, error) {
	for name, text := range lists {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	var flags []string
	for _, flag := range p.flags {
		flags = append(flags, strings.ReplaceAll(flag, "$DIR", dir))
	}
	return flags, nil
}

// records are what the name server knows: SPF of some domains, and entries of the two lists by the
// names themselves.
func records(name string, kind dnsmessage.Type) []dnsmessage.ResourceBody {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(name))
	n := hash.Sum32()
	test := strings.HasPrefix(name, "2.0.0.127.") || strings.HasPrefix(name, "test.")
	isList := strings.HasSuffix(name, "bl.example.") // both
	listed := test || n%23 == 0 && !strings.HasPrefix(name, "1.0.0.127.") && !strings.HasPrefix(name, "invalid.") && !strings.Contains(name, ".f.f.f.f.")
	switch {
	case isList && listed && kind == dnsmessage.TypeA:
		return []dnsmessage.ResourceBody{&dnsmessage.AResource{A: [4]byte{127, 0, 0, 2}}}
	case isList && listed && kind == dnsmessage.TypeTXT:
		return []dnsmessage.ResourceBody{&dnsmessage.TXTResource{TXT: []string{fmt.Sprintf("entry %d", n%1000)}}}
	case !isList && kind == dnsmessage.TypeTXT && !strings.HasPrefix(name, "_"):
		policies := []string{"v=spf1 ip4:20.0.0.0/9 ip6:2001:db8::/32 -all", "v=spf1 -all", "v=spf1 ?all", ""}
		if text := policies[n%4]; text != "" {
			return []dnsmessage.ResourceBody{&dnsmessage.TXTResource{TXT: []string{text}}}
		}
	}
	return nil
}
