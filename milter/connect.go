package milter

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strconv"
	"strings"

	"mailweir/internal/policy"
)

// Families of a client's address in a connect packet.
const (
	familyUnknown = 'U'
	familyUnix    = 'L'
	familyIPv4    = '4'
	familyIPv6    = '6'
)

var errConnect = errors.New("malformed connect packet")

// connectFacts reads a connect packet: host name NUL family, and for all families but 'U' port and
// address NUL.
//
// An address that is not understood leaves the client unknown, and therefore untrusted. Sendmail
// -bs, which takes SMTP on its standard input, is 'U' with the host name localhost.
func connectFacts(data []byte, m macros) (policy.ConnectFacts, error) {
	host, rest := cstring(data)
	if len(rest) == 0 {
		return policy.ConnectFacts{}, errConnect
	}
	facts := policy.ConnectFacts{
		Name:       clientName(string(host), m.get("{client_resolve}")),
		Unverified: hostName(m.get("{client_ptr}")),
		DaemonName: m.get("{daemon_name}"),
		DaemonPort: m.get("{daemon_port}"),
		MTA:        m.get("j"),
	}
	switch rest[0] {
	case familyIPv4, familyIPv6:
		if len(rest) < 3 {
			return policy.ConnectFacts{}, errConnect
		}
		address, _ := cstring(rest[3:])
		facts.Port = binary.BigEndian.Uint16(rest[1:])
		facts.Client = clientAddress(string(address))
	case familyUnix:
		facts.NoNetwork = true
	case familyUnknown:
		facts.NoNetwork = string(host) == "localhost"
	}
	return facts, nil
}

// clientAddress reads an address. Sendmail puts "IPv6:" before those of that family.
func clientAddress(s string) netip.Addr {
	if tagged := "IPv6:"; len(s) > len(tagged) && strings.EqualFold(s[:len(tagged)], tagged) {
		s = s[len(tagged):]
	}
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap().WithZone("")
}

// clientName returns the client's name if the MTA vouches for it. Postfix sends "unknown" for a
// name that does not lead back to the address; Sendmail sends the name nevertheless and says so in
// {client_resolve}.
func clientName(host, resolve string) string {
	if resolve != "" && resolve != "OK" {
		return ""
	}
	return hostName(host)
}

// hostName returns a name, or "" for what an MTA writes where there is none: "unknown", or the
// address in brackets.
func hostName(s string) string {
	if s == "unknown" || strings.HasPrefix(s, "[") {
		return ""
	}
	return s
}

// tlsFacts reads the macros of HELO. Those of a HELO in clear are absent, or empty and zero.
// Sendmail shows a certificate that it could not verify and says so in {verify}; Postfix shows
// verified ones only, and has no such macro.
func tlsFacts(m macros) policy.TLS {
	version := m.get("{tls_version}")
	if version == "" {
		return policy.TLS{}
	}
	tls := policy.TLS{Version: version, Cipher: m.get("{cipher}")}
	tls.Bits, _ = strconv.Atoi(m.get("{cipher_bits}"))
	if verify := m.get("{verify}"); verify == "" || verify == "OK" {
		tls.CertSubject, tls.CertIssuer = m.get("{cert_subject}"), m.get("{cert_issuer}")
	}
	return tls
}
