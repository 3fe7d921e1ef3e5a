package access

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"mailweir/internal/importing"
	"mailweir/internal/mta/postfix"
)

const mynetworks = "mynetworks"

// ownNets are mynetworks.
type ownNets struct {
	// known says that the configuration has them: where it sets none, Postfix makes them of the
	// interfaces of its host, which is not this one where its files are a copy.
	known    bool
	prefixes []netip.Prefix
	unread   []string // words that cannot be read
	excepted []string // words with ! in front
}

// own reads mynetworks, once.
func (r *reader) own() *ownNets {
	if r.nets != nil {
		return r.nets
	}
	_, set := r.in.Postfix.Set[mynetworks]
	r.nets = &ownNets{known: set || r.in.Root == ""}
	if r.nets.known {
		r.nets.read(r.in)
	}
	return r.nets
}

func (n *ownNets) read(in *importing.Input) {
	var nets []string
	for _, t := range postfix.ParseTables(in.Postfix.Parameters[mynetworks]) {
		switch {
		case strings.HasPrefix(t.Text, "!"):
			n.excepted = append(n.excepted, t.Text)
			continue
		case t.Type == "cidr" || t.Type == "" && strings.HasPrefix(t.Name, "/"):
			if data, err := in.ReadText(in.Old(t.Name)); err == nil {
				nets = append(nets, keysOf(string(data))...)
				continue
			}
		case t.Type == "":
			nets = append(nets, t.Name)
			continue
		}
		n.unread = append(n.unread, t.Text)
	}
	for _, net := range nets {
		if prefix, ok := prefixOf(net); ok && !slices.Contains(n.prefixes, prefix) {
			n.prefixes = append(n.prefixes, prefix)
		}
	}
}

// writeOwn writes an exception for mynetworks in front of the lists of clients from maps that
// permit_mynetworks stands before.
func (r *reader) writeOwn(k *kind) {
	nets := r.own()
	if !nets.known {
		r.result.Note("mynetworks is not set, and what Postfix makes of it depends on the network cards of that host: %s may refuse your own clients; "+
			"set mynetworks there or import on that host", k.block)
		return
	}
	for _, text := range nets.excepted {
		r.result.Note("mynetworks has the exception %s; %s exempts it, too", text, k.block)
	}
	for _, text := range nets.unread {
		r.result.Note("mynetworks has %s, which cannot be read: %s may refuse clients there", text, k.block)
	}
	if len(nets.prefixes) == 0 {
		return
	}
	var text strings.Builder
	text.WriteString("# from mynetworks: permit_mynetworks stands before each access map of Postfix that has its list behind this one\n")
	for _, prefix := range nets.prefixes {
		text.WriteString(prefix.String() + "\tOK\n")
	}
	name := "access-" + k.word + "-own"
	r.names[name] = true
	r.result.Files = append(r.result.Files, importing.File{Name: name, Text: text.String()})
	r.result.Flag(k.block, "cidr:"+r.in.In(name), r.in.At(nil, mynetworks, ""))
}

// alsoOwn says whom of mynetworks a refusal of clients is for though Postfix permits them; key is
// that of the entry, "" for a table that is asked.
func (r *reader) alsoOwn(u *use, key string) []string {
	switch {
	case u.own && !r.own().known:
		return []string{"also from your own networks, since mynetworks is not set"}
	case u.byDoor != "" && r.own().may(key):
		return []string{"also from your own networks at " + u.byDoor + ", which does not ask it"}
	}
	return nil
}

// may reports whether a key may be one of these nets or of a host there: as any name or pattern
// may.
func (n *ownNets) may(key string) bool {
	if parts := strings.Split(key, "."); strings.Trim(key, "0123456789.") == "" && len(parts) < 4 && key != "" {
		key += strings.Repeat(".0", 4-len(parts)) + "/" + strconv.Itoa(8*len(parts))
	}
	net, ok := prefixOf(key)
	return !ok || len(n.unread) > 0 || slices.ContainsFunc(n.prefixes, net.Overlaps)
}

// prefixOf reads a net as mynetworks has it.
func prefixOf(text string) (netip.Prefix, bool) {
	host, bits, masked := strings.Cut(text, "/")
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil {
		return netip.Prefix{}, false
	}
	prefix := netip.PrefixFrom(addr, addr.BitLen())
	if masked {
		if prefix, err = netip.ParsePrefix(addr.String() + "/" + bits); err != nil {
			return netip.Prefix{}, false
		}
	}
	if addr.Is4In6() {
		if prefix.Bits() < 96 {
			return netip.Prefix{}, false
		}
		prefix = netip.PrefixFrom(addr.Unmap(), prefix.Bits()-96)
	}
	return prefix.Masked(), true
}
