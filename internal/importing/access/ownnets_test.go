package access

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"mailweir/internal/importing"
)

// Own nets are exempt from the lists of those maps alone that permit_mynetworks stands before.
func TestOwnNets(t *testing.T) {
	const blocked = "10.0.0.5 REJECT\n"
	set := "mynetworks = 10.0.0.0/8\n"
	first := func(lines string) string { return set + "smtpd_client_restrictions = " + lines + "\n" }
	for _, c := range []struct {
		name, main, master string
		flags              string // names of lists, in their order
		fate               importing.Fate
		reason             string // of the first map's line
	}{
		{name: "no permit at all", main: first("check_client_access texthash:HERE/one"), flags: "clients-one", fate: importing.Carried, reason: "client-block-list"},
		{name: "permit of logins", main: first("permit_sasl_authenticated, check_client_access texthash:HERE/one"), flags: "clients-one", fate: importing.Carried, reason: "client-block-list"},
		{name: "behind the map", main: first("check_client_access texthash:HERE/one, permit_mynetworks"), flags: "clients-one", fate: importing.Carried, reason: "client-block-list"},
		{name: "before the map", main: first("permit_mynetworks, check_client_access texthash:HERE/one"), flags: "clients-own clients-one", fate: importing.Carried, reason: "client-block-list"},
		{
			name: "of two lists one", main: first("permit_mynetworks, check_client_access texthash:HERE/two\nsmtpd_recipient_restrictions = check_client_access texthash:HERE/one"),
			flags: "clients-one clients-own clients-two", fate: importing.Carried, reason: "client-block-list",
		},
		{
			name: "a map in both", main: first("permit_mynetworks, check_client_access texthash:HERE/one\nsmtpd_recipient_restrictions = check_client_access texthash:HERE/one"),
			flags: "clients-one", fate: importing.Carried, reason: "client-block-list",
		},
		{
			name: "another service permits them", main: first("check_client_access texthash:HERE/one"),
			master: "smtp inet n - n - - smtpd\n587 inet n - n - - smtpd\n -o smtpd_client_restrictions=permit_mynetworks,reject\n",
			flags:  "clients-one", fate: importing.Changed, reason: "client-block-list, also from your own networks at 587/inet, which does not ask it",
		},
		{
			name: "another service permits others", main: "mynetworks = 10.1.0.0/16\nsmtpd_client_restrictions = check_client_access texthash:HERE/one\n",
			master: "smtp inet n - n - - smtpd\n587 inet n - n - - smtpd\n -o smtpd_client_restrictions=permit_mynetworks,reject\n",
			flags:  "clients-one", fate: importing.Carried, reason: "client-block-list",
		},
		{
			name: "outsiders", main: "mynetworks = 10.0.0.0/8\nsmtpd_client_restrictions = check_client_access inline:{10.0.0.5=permit_mynetworks}, check_client_access texthash:HERE/class\n" +
				"smtpd_restriction_classes = inside\ninside = permit_mynetworks, reject\n", flags: "", fate: importing.Left, reason: insidersOnly(&kinds[0]),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, map[string]string{"main.cf": c.main, "master.cf": c.master, "one": blocked, "two": "10.0.0.6 REJECT\n", "class": "10.0.0.7 inside\n"})
			r := h.read(t)
			if got := blockLists(r); got != c.flags {
				t.Errorf("lists %q, want %q", got, c.flags)
			}
			at := slices.IndexFunc(r.Items, func(i importing.Item) bool {
				return strings.HasSuffix(i.File, "/one") || strings.HasSuffix(i.File, "/class")
			})
			if at < 0 || r.Items[at].Fate != c.fate || r.Items[at].Reason != c.reason {
				t.Errorf("%+v, want %s: %s", r.Items, c.fate, c.reason)
			}
		})
	}
}

func blockLists(r *importing.Result) string {
	var names []string
	for _, f := range r.Flags {
		if _, name, found := strings.Cut(f.Value, "/imported/access-"); found && f.Name == "client-block-list" {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// Where mynetworks is not set, Postfix makes it of the interfaces of its host. Those of this one
// say nothing of the host whose files were copied.
func TestOwnNetsOfAnotherHost(t *testing.T) {
	const main = "smtpd_client_restrictions = permit_mynetworks, check_client_access texthash:HERE/one\n"
	for _, c := range []struct{ name, main, lists, reason, note string }{
		{
			"not set", main, "clients-one", "client-block-list, also from your own networks, since mynetworks is not set",
			"mynetworks is not set, and what Postfix makes of it depends on the network cards of that host: client-block-list may refuse your own clients; set mynetworks there or import on that host",
		},
		{"set", main + "mynetworks = 10.0.0.0/8\n", "clients-own clients-one", "client-block-list", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, map[string]string{"main.cf": c.main, "one": "192.0.2.1 REJECT\n"})
			h.in.Root = h.dir
			r := h.read(t)
			if got := blockLists(r); got != c.lists {
				t.Errorf("lists %q, want %q", got, c.lists)
			}
			if got := r.Items[len(r.Items)-1]; !slices.ContainsFunc(r.Items, func(i importing.Item) bool { return i.Reason == c.reason }) {
				t.Errorf("%+v, want %q", got, c.reason)
			}
			if c.note != "" && !slices.Contains(r.Notes, c.note) || c.note == "" && len(r.Notes) > 0 {
				t.Errorf("notes %q, want %q", r.Notes, c.note)
			}
			h.in.Root = ""
			if got := blockLists(h.read(t)); got != "clients-own clients-one" {
				t.Errorf("on the host itself: lists %q", got)
			}
		})
	}
}

func TestMayBeOwn(t *testing.T) {
	nets := &ownNets{prefixes: []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16"), netip.MustParsePrefix("2001:db8::/32")}}
	for key, want := range map[string]bool{
		"10.20.3.4": true, "10.20": true, "10": true, "10.21": false, "10.20.5": true, "192.0.2.1": false, "10.0.0.0/8": true, "10.21.0.0/16": false,
		"2001:db8::1": true, "2001:db9::/32": false, "2001:db8": true, "host.example": true, "/^10/": true, "": true,
	} {
		if got := nets.may(key); got != want {
			t.Errorf("%q: %v", key, got)
		}
	}
}
