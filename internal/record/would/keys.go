package would

import (
	"hash/maphash"
	"net/netip"
	"slices"
	"strings"

	"mailweir/internal/address"
	"mailweir/internal/policy"
)

// key stands for an address, a pair of addresses, a client or a transaction: so much is remembered
// that each may take a few octets only. Two that differ share one by chance once in 10^19. 0 is
// nobody.
type key uint64

// keys makes them. Untrusted clients cannot find out which names share one.
type keys struct{ seed maphash.Seed }

func (k keys) of(parts ...string) key {
	var h maphash.Hash
	h.SetSeed(k.seed)
	for _, part := range parts {
		h.WriteString(part)
		h.WriteByte(0)
	}
	return key(max(h.Sum64(), 1))
}

func (k keys) transaction(host, session string, number int) key {
	return k.of("transaction", host, session, group(number))
}

// pair is a sender who writes to a recipient: mail of a user of ours is another thing than mail
// under his name from outside.
func (k keys) pair(sender address.Address, recipient, direction string) key {
	return k.of("pair", sender.SenderKey(), recipient, direction)
}

// sender is an address whom people write to, or permit; 0 for the null sender. It keeps its
// numbers: bob1 is not bob2.
func (k keys) sender(a address.Address) key {
	if a.IsNull() {
		return 0
	}
	return k.of("sender", plain(a).Key())
}

// plain is the address without the tag that each answer has another of (BATV).
func plain(a address.Address) address.Address {
	a.Local = address.PlainBATV(a.Local)
	return a
}

// client is an IPv4 client, or an IPv6 client's /64; 0 for an unknown one.
func (k keys) client(a netip.Addr) key {
	net, err := a.Prefix(clientBits(a))
	if err != nil {
		return 0
	}
	return k.of("client", net.String())
}

// clientBits are those of the net that counts as one client.
func clientBits(a netip.Addr) int {
	if a.Is6() {
		return 64
	}
	return a.BitLen()
}

// alike is what decisions have in common that were brought together.
func (k keys) alike(check string, how policy.Alike, client netip.Addr, sender string) key {
	net, _ := client.Prefix(clientBits(client))
	switch how {
	case policy.AlikeDomain:
		return k.of("alike", check, net.String(), address.Parse(sender).Domain)
	case policy.AlikeClient:
		return k.of("alike", check, net.String())
	}
	return k.of("alike", check)
}

// subjects are what a permit for a sender may be about: the address, its domain and those above.
func (k keys) subjects(a address.Address) []key {
	if a.IsNull() {
		return nil
	}
	list := []key{k.of("subject", plain(a).Key())}
	for domain := a.Domain; domain != ""; {
		list = append(list, k.of("subject", domain))
		_, domain, _ = strings.Cut(domain, ".")
	}
	return list
}

// names numbers the checks.
type names []string

func (n *names) number(name string) uint16 {
	i := slices.Index(*n, name)
	if i < 0 {
		i = len(*n)
		*n = append(*n, name)
	}
	return uint16(i)
}
