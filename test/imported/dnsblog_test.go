package imported

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"

	"mailweir/test/testbed"
)

// dnsblog does the work of Postfix's dnsblog(8) for the host's postscreen, with the same resolver.
// Postfix starts a process for each question that is under way, and postscreen counts the lists
// that have answered when its pause ends; so on a busy machine it would decide by chance.
func (b *bed) dnsblog(t *testing.T, h *testbed.Host) {
	t.Helper()
	b.edit(t, h, "postfix/master.cf", func(text string) string {
		var rest strings.Builder
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(line, "dnsblog ") {
				rest.WriteString(line)
			}
		}
		return rest.String()
	})
	listener, err := net.Listen("unix", h.Queue("private/dnsblog"))
	if err == nil {
		err = os.Chmod(h.Queue("private/dnsblog"), 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, b.dns.Address)
	}}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go answerDNSBlog(conn, resolver)
		}
	}()
}

// answerDNSBlog answers one question: names and values, each ended by a NUL, and one more.
func answerDNSBlog(conn net.Conn, resolver *net.Resolver) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	asked := map[string]string{}
	for {
		name, err := in.ReadString(0)
		if err != nil {
			return
		}
		if name == "\x00" {
			break
		}
		value, err := in.ReadString(0)
		if err != nil {
			return
		}
		asked[strings.TrimSuffix(name, "\x00")] = strings.TrimSuffix(value, "\x00")
	}
	var listed []string
	if ip, err := netip.ParseAddr(asked["client_address"]); err == nil {
		all, _ := resolver.LookupNetIP(context.Background(), "ip4", reversed(ip)+asked["rbl_domain"]+".") // an error is not listed, as there
		for _, a := range all {
			listed = append(listed, a.Unmap().String())
		}
	}
	reply := []string{"rbl_domain", asked["rbl_domain"], "client_address", asked["client_address"], "label", asked["label"], "rbl_addr", strings.Join(listed, " "), "ttl", "60", ""}
	_, _ = io.WriteString(conn, strings.Join(reply, "\x00")+"\x00")
}

// reversed is an address as it stands before the name of a list (RFC 5782).
func reversed(ip netip.Addr) (name string) {
	for _, octet := range ip.AsSlice() {
		if ip.Is4() {
			name = fmt.Sprintf("%d.", octet) + name
			continue
		}
		name = fmt.Sprintf("%x.%x.", octet&15, octet>>4) + name
	}
	return name
}
