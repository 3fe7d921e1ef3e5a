package dnslists_test

import (
	"slices"
	"strings"
	"testing"

	"mailweir/internal/mta/postfix"
	"mailweir/rbl"
)

// Whatever stands in Postfix, each line that import writes is one that mailweir takes, and a key is
// nowhere but in its file.
func FuzzRead(f *testing.F) {
	const key = "k3y0fthecustomer"
	for _, text := range []string{
		"zen.spamhaus.org=127.0.0.[2..11]*3 list.dnswl.org*-1", "reject_rbl_client a.b, permit_dnswl_client c.d warn_if_reject reject_rhsbl_helo e.f=127.0.0.1",
		"KEY.zen.dq.spamhaus.net*2 reject_rbl_client KEY.zen.dq.spamhaus.net", "reject_rhsbl_sender KEY.dbl.dq.spamhaus.net*=[", "{NAME}.a.b=*", "dnsbl.sorbs.net", "a.b=127.0.0.1=2*3*4",
	} {
		f.Add(text, text, "3")
	}
	f.Fuzz(func(t *testing.T, sites, restrictions, threshold string) {
		sites, restrictions = strings.ReplaceAll(sites, "KEY", key), strings.ReplaceAll(restrictions, "KEY", key)
		p := &postfix.Postfix{
			Parameters: map[string]string{"postscreen_dnsbl_sites": sites, "postscreen_dnsbl_threshold": threshold, "smtpd_client_restrictions": restrictions},
			Services:   []*postfix.Service{{Name: "smtp", Type: "inet", Command: "postscreen"}, {Name: "smtpd", Type: "pass", Command: "smtpd"}},
		}
		_, r := importOld(t, p, nil)
		for _, flag := range r.Flags {
			kind := rbl.Addresses
			switch flag.Name {
			case "rhsbl-zone":
				kind = rbl.Domains
			case "rbl-zone":
			default:
				continue
			}
			if _, err := rbl.Parse(kind, []string{flag.Value}); err != nil {
				t.Errorf("%s = %s: %v", flag.Name, flag.Value, err)
			}
		}
		for _, i := range r.Items {
			if i.Reason == "" || keyed(i.Text) || keyed(i.Reason) {
				t.Errorf("%s %q %q", i.Fate, i.Text, i.Reason)
			}
		}
		if slices.ContainsFunc(r.Notes, keyed) {
			t.Error(r.Notes)
		}
	})
}

// keyed reports whether a word of a text is a zone of Spamhaus with the key in front.
func keyed(text string) bool {
	return slices.ContainsFunc(strings.Fields(text), func(word string) bool {
		return strings.HasPrefix(strings.ToLower(word), "k3y0fthecustomer.") && strings.Contains(word, "dq.spamhaus")
	})
}
