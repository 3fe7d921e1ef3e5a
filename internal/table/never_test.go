package table

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mailweir/internal/address"
)

// TestKeysThatNeverMatch: each is an error with its line, and says what to write.
func TestKeysThatNeverMatch(t *testing.T) {
	for _, c := range []struct {
		asked     Asked
		key, want string
	}{
		{Addresses, "*.b.example", `write ".b.example" for its sub-domains, or "b.example" for the domain with its sub-domains`},
		{Addresses, "@b.example", `write "b.example", which stands for its sub-domains, too`},
		{Addresses, "*@b.example", `write "b.example", which stands for its sub-domains, too`},
		{Addresses, "*@*.b.example", `write ".b.example" for its sub-domains, or "b.example" for the domain with its sub-domains`},
		{Addresses, "<a@b.example>", `write "a@b.example"`},
		{Addresses, "a@b.example,", `write "a@b.example"`},
		{Addresses, "a@b.example.", `write "a@b.example"`},
		{Addresses, "b.example.", `write "b.example"`},
		{Addresses, `"a"@b.example`, `write "a@b.example"`},
		{Addresses, "u@.b.example", "what is looked up here are addresses"},
		{Addresses, "u@*", "a key has no wildcards; patterns stand in a table of type regexp: or pcre:"},
		{Addresses, "spam*", "a key has no wildcards"},
		{Addresses, "*", "an entry for all is static:VALUE"},
		{Addresses, "@", "an entry for all is static:VALUE"},
		{Addresses, `/^a@b\.example$/`, "a pattern stands in a table of type regexp: or pcre:"},
		{Addresses, "/b.example/", "a pattern stands in a table of type regexp: or pcre:"},
		{Addresses, "192.0.2.0/24", "clients are not looked up here, and so neither are nets"},
		{Addresses, "2001:db8::1", "what is looked up here are addresses"},
		{Addresses, "https://b.example/", "what is looked up here are addresses"},
		{Clients, "192.0.2.0/24", `write "192.0.2", or: a net stands in a table of type cidr:, as 192.0.2.0/24`},
		{Clients, "10.0.0.0/8", `write "10", or: a net stands in a table of type cidr:, as 10.0.0.0/8`},
		{Clients, "192.0.2.128/25", "a net stands in a table of type cidr:, as 192.0.2.128/25"},
		{Clients, "2001:db8::/32", "a net stands in a table of type cidr:, as 2001:db8::/32"},
		{Clients, "0.0.0.0/0", "a net stands in a table of type cidr:, as 0.0.0.0/0"},
		{Clients, "[192.0.2.1]", `write "192.0.2.1"`},
		{Clients, "192.0.2.*", `write "192.0.2"`},
		{Clients, "192.0.2.", `write "192.0.2"`},
		{Clients, "192.0.2.256", "what is looked up here are clients"},
		{Clients, "192.0.02.1", "what is looked up here are clients"},
		{Clients, "1.2.3.4.5", "what is looked up here are clients"},
		{Clients, "2001:0db8::1", `write "2001:db8::1"`},
		{Clients, "2001:0db8", "what is looked up here are clients"},
		{Clients, "::ffff:192.0.2.1", `write "192.0.2.1"`},
		{Clients, "a@b.example", `write "b.example"`},
		{Clients, "*.b.example", `write ".b.example" for its sub-domains`},
		{Clients, "<>", "what is looked up here are clients"},
		{Domains, "@b.example", `write "b.example", which stands for its sub-domains, too`},
		{Recipients, "bob@", `write "bob"`},
		{Recipients, "*@b.example", `write "@b.example" for all addresses of the domain`},
		{Recipients, "*.b.example", `write "@b.example" for all addresses of that domain; it does not stand for its sub-domains here`},
		{Addresses, "u@[192.0.2.1", "what is looked up here are addresses"},
		{Addresses, "[192.0.2.1][", `write "192.0.2.1"`},
		{Recipients, "@*.b.example", `write "@b.example" for all addresses of that domain; it does not stand for its sub-domains here`},
		{Recipients, ".b.example", `a domain does not stand for its sub-domains here, and all its addresses are "@example.org"`},
		{Recipients, "*", "an entry for all is static:VALUE"},
		{Recipients, "root:", "this looks like a file of aliases"},
		{Recipients, "<>", "it is no recipient"},
		{Addresses | AtDomains, "@*.b.example", `write ".b.example" for its sub-domains, or "b.example" for the domain with its sub-domains`},
		{Clients | Addresses, "*@b.example", `write "b.example", which stands for its sub-domains, too`},
	} {
		o := ListOptions{Use: Use{Asked: c.asked, Values: Any, Bare: "OK"}, Subdomains: true}
		file := write(t, "good.example x", c.key+" x")
		_, err := NewLoader(nil).List(o, file)
		want := fmt.Sprintf("%s:2: %q can never match: %s", file, c.key, c.want)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v %s:\n%v, want\n%s", c.asked, c.key, err, want)
		}
	}
}

// Without sub-domains a domain is told without them.
func TestKeysThatNeverMatchInLocalDomains(t *testing.T) {
	for key, want := range map[string]string{"*.b.example": `write ".b.example" for its sub-domains`, "@b.example": `write "b.example"`} {
		file := write(t, key)
		_, err := NewLoader(nil).List(ListOptions{Use: Use{Asked: Domains, Bare: "OK"}}, "list:"+file)
		if want = fmt.Sprintf("%s:1: %q can never match: %s", file, key, want); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// What a check alone knows, it judges alone.
func TestOwnKeys(t *testing.T) {
	odd := errors.New("odd")
	own := func(key string) error {
		if len(key)%2 != 0 {
			return odd
		}
		return nil
	}
	for key, want := range map[string]error{"ab": nil, "*@": nil, "abc": odd} {
		file := write(t, key+" x")
		_, err := NewLoader(nil).List(ListOptions{Use: Use{Asked: OwnKeys, Own: own, Values: Any}}, file)
		if !errors.Is(err, want) || want == nil && err != nil || want != nil && err.Error() != file+":1: odd" {
			t.Errorf("%q: %v, want %v", key, err, want)
		}
	}
}

// TestKeysThatMayMatch: what looks odd and can match is none of our business.
func TestKeysThatMayMatch(t *testing.T) {
	for asked, keys := range map[Asked][]string{
		Addresses:             {"<>", "a@b.example", "b.example", ".b.example", "com", "user@", "a/b@c.example", "o'neil@b.example", "bücher.example", "xn--bcher-kva.example", "user@[192.0.2.1]", "[192.0.2.1]", `"a b"@c.example`, "192.0.2.1", "b_c.example", "straße.example", "a..b.example", "üser@b.example"},
		Clients:               {"192.0.2.1", "192.0.2", "10", "2001", "2001:db8", "2001:db8:", "2001:db8::1", "fe80", "::1", "mail.example", ".example", "dhcp-1_2.b.example", "localhost"},
		Domains:               {"b.example", ".b.example", "localhost", "[192.0.2.1]"},
		Recipients:            {"bob", "bob@b.example", "@b.example", "bob+x", "o'neil", `"a b"@c.example`, "b.example"},
		Addresses | AtDomains: {"@b.example", "user@", "a@b.example"},
		OwnKeys:               {"anything *"},
		0:                     {"@b.example", "*"},
	} {
		o := ListOptions{Use: Use{Asked: asked}}
		for _, key := range keys {
			if !o.asks(fold(key)) {
				t.Errorf("%v: %q is refused", asked, key)
			}
		}
	}
}

// valid are the addresses and names of mail that is sent.
var (
	label = rapid.OneOf(rapid.StringMatching(`[a-z0-9_]([a-z0-9-]{0,5}[a-z0-9])?`), rapid.SampledFrom([]string{"bücher", "straße", "xn--bcher-kva", "例え", "ꭰꮳ", "ς"}))
	host  = rapid.Custom(func(t *rapid.T) string {
		labels := rapid.SliceOfN(label, 0, 3).Draw(t, "labels")
		return strings.Join(append(labels, rapid.SampledFrom([]string{"example", "com", "xn--p1ai", "例え"}).Draw(t, "top")), ".")
	})
	local = rapid.OneOf(rapid.StringMatching(`[a-zA-Z0-9!#$%&'*+/=?^_{|}~.-]{1,8}`), rapid.StringMatching(`"[a-z @.,:;]{1,6}"`), rapid.SampledFrom([]string{"Üser", "é", "e\u0301", "a+b"}))
	mail  = rapid.Custom(func(t *rapid.T) string { return local.Draw(t, "local") + "@" + host.Draw(t, "domain") })
)

func anIP(t *rapid.T) netip.Addr {
	if rapid.Bool().Draw(t, "v4") {
		return netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "octets")))
	}
	octet := rapid.SampledFrom([]byte{0, 0, 0, 1, 0x20, 0xdb, 0xff})
	return netip.AddrFrom16([16]byte(rapid.SliceOfN(octet, 16, 16).Draw(t, "octets"))).Unmap()
}

// lookedUp are all keys that one look-up of that kind asks for.
func lookedUp(t *rapid.T, o ListOptions) (keys []string) {
	add := func(key string) bool { keys = append(keys, key); return true }
	table := &Table{}
	switch o.Asked {
	case Addresses:
		k := addressKeys(address.Parse(mail.Draw(t, "address")), o)
		k.sequence(add)
	case Domains:
		table.domainSequence(host.Draw(t, "domain"), o)(add)
	case Recipients:
		table.recipientSequence(address.Parse(mail.Draw(t, "recipient")), o)(add)
	case Clients:
		table.clientSequence(anIP(t), []string{host.Draw(t, "name")}, o)(add)
	}
	return keys
}

// TestWhatIsAskedForIsNeverCondemned: no key that a look-up asks for is an error, or a table that
// works would not open.
func TestWhatIsAskedForIsNeverCondemned(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		asked := rapid.SampledFrom([]Asked{Addresses, Domains, Recipients, Clients}).Draw(t, "asked")
		o := ListOptions{Use: Use{Asked: asked}, Subdomains: rapid.Bool().Draw(t, "subdomains"), Delimiters: "+"}
		for _, key := range lookedUp(t, o) {
			if key != fold(key) || strings.Contains(key, "*@") || key == "*" {
				continue // such keys are no entries of a table, or a wildcard that no address is
			}
			if asked == Recipients && !strings.Contains(key, "@") && (!isDotAtom(key) || strings.IndexByte("*/", key[0]) >= 0) {
				continue // bare local parts that need quotes, or look like patterns
			}
			if !o.asks(key) {
				t.Fatalf("%v: %q is asked for and refused: %v", asked, key, o.neverAsked(key))
			}
		}
	})
}

// TestWhatIsCondemnedIsNeverAskedFor: an error is right, since nothing could find the entry.
func TestWhatIsCondemnedIsNeverAskedFor(t *testing.T) {
	piece := rapid.SampledFrom([]string{"@", "*", ".", "/", "<", ">", "192.0.2", ".0/24", ":", "2001:db8", "b.example", "user", `"`, "É", ",", "::", "ffff:", "[", "]", "^", "$", "0", "xn--"})
	rapid.Check(t, func(t *rapid.T) {
		key := fold(strings.Join(rapid.SliceOfN(piece, 1, 5).Draw(t, "pieces"), ""))
		o := ListOptions{Use: Use{Asked: rapid.SampledFrom([]Asked{Addresses, Domains, Recipients, Clients}).Draw(t, "asked"), Bare: "OK"}, Subdomains: true, Delimiters: "+"}
		if o.asks(key) {
			return
		}
		// What the key says, without what is wrong with it, finds it as little as anything else.
		loose := strings.Trim(key, "@*./<>[]^$,:\"")
		asked := lookedUp(t, o)
		add := func(key string) bool { asked = append(asked, key); return true }
		table := &Table{}
		switch o.Asked {
		case Addresses:
			for _, a := range []string{loose, "x@" + loose, "x@y." + loose} {
				k := addressKeys(address.Parse(a), o)
				k.sequence(add)
			}
		case Domains:
			table.domainSequence("x."+loose, o)(add)
		case Recipients:
			table.recipientSequence(address.Parse("x@"+loose), o)(add)
		case Clients:
			table.clientSequence(netip.MustParseAddr("192.0.2.0"), []string{"x." + loose}, o)(add)
			table.clientSequence(netip.MustParseAddr("2001:db8::"), nil, o)(add)
		}
		valid := !strings.ContainsAny(loose, `/<>"^$,[]*:`) && !(o.Asked&(Domains|Clients) != 0 && strings.Contains(loose, "@")) && strings.Trim(loose, "0123456789.") != ""
		if i := slices.Index(asked, key); i >= 0 && valid && !strings.Contains(key, "*@") {
			t.Fatalf("%v: %q is refused, and asked for: %q", o.Asked, key, asked)
		}
	})
}

// FuzzNeverMatches: whatever the key, the judgement has words and names no key that is wrong, too.
func FuzzNeverMatches(f *testing.F) {
	for _, seed := range []string{"*.b.example", "@dom", "<a@b>", "/x/", "192.0.2.0/24", "::ffff:1.2.3.4/120", "a@", "\"", "[", ".", "2001:db8::", "*"} {
		f.Add(seed, uint8(Addresses))
	}
	f.Fuzz(func(t *testing.T, key string, asked uint8) {
		o := ListOptions{Use: Use{Asked: Asked(asked) & (Clients | Addresses | Domains | Recipients | AtDomains)}, Subdomains: asked&1 == 0}
		key = fold(key)
		if key == "" || o.asks(key) {
			return
		}
		if err := o.neverAsked(key); err == nil || err.Error() == "" {
			t.Fatalf("%q: no words", key)
		}
		for _, right := range o.spelledRight(key) {
			if right == key && o.asks(right) {
				t.Fatalf("%q is its own right spelling", key)
			}
		}
	})
}

// TestSharedTables: one file may serve several flags, and Postfix besides.
func TestSharedTables(t *testing.T) {
	clients := ListOptions{Use: Use{Asked: Clients, Values: Actions}, Subdomains: true}
	senders := ListOptions{Use: Use{Asked: Addresses, Values: Actions}, Subdomains: true}
	access := write(t, "192.0.2 REJECT", "2001:db8 REJECT", "spam@b.example REJECT", "c.example REJECT")
	wrong := write(t, "192.0.2.0/24 REJECT")
	for _, o := range []ListOptions{clients, senders} {
		alone, both := NewLoader(nil), NewLoader(nil)
		both.Share(clients.Use, access, wrong)
		both.Share(senders.Use, access)
		if _, err := alone.List(o, access); err == nil {
			t.Errorf("%v: half of the keys can never match", o.Asked)
		}
		if _, err := both.List(o, access); err != nil {
			t.Errorf("%v: %v", o.Asked, err)
		}
		if _, err := NewLoader(both).List(o, access); err == nil {
			t.Errorf("%v: after a reload that shares it no more, half of the keys can never match", o.Asked)
		}
		if _, err := both.List(o, wrong); err == nil {
			t.Errorf("%v: what no use asks for is right", o.Asked)
		}
	}
	domains := ListOptions{Use: Use{Asked: Domains, Values: Any, Bare: "OK"}}
	virtual := write(t, "b.example anything", "info@b.example bob", "@b.example eve", "bob@c.example eve")
	if _, err := NewLoader(nil).List(domains, virtual); err != nil {
		t.Errorf("virtual(5): %v", err)
	}
	for spec, want := range map[string]string{
		write(t, "b.example x", "@c.example x"): ":2: \"@c.example\" can never match",
		"list:" + write(t, "bob@c.example"):     ":1: \"bob@c.example\" can never match",
	} {
		if _, err := NewLoader(nil).List(domains, spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", spec, err, want)
		}
	}
}
