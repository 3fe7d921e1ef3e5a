package imported

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
)

// policyServer is a server of Postfix's policy protocol (SMTPD_POLICY_README), as iRedMail's
// iRedAPD is one: it answers with what judge says of the attributes of a request.
func policyServer(t *testing.T, address string, judge func(map[string]string) string) {
	t.Helper()
	listener, err := net.Listen("tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go answerPolicy(conn, judge)
		}
	}()
}

func answerPolicy(conn net.Conn, judge func(map[string]string) string) {
	defer conn.Close()
	attributes := map[string]string{}
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		if name, text, found := strings.Cut(lines.Text(), "="); found {
			attributes[name] = text
			continue
		}
		if _, err := io.WriteString(conn, "action="+judge(attributes)+"\n\n"); err != nil {
			return
		}
		clear(attributes)
	}
}

// likeIRedAPD has two of its plugins: a list of senders that one recipient does not want, and a
// limit of what a login sends.
func likeIRedAPD(a map[string]string) string {
	switch {
	case a["recipient"] == "tom@harbour.example" && strings.HasSuffix(a["sender"], "@exwife.example"):
		return "REJECT Blacklisted"
	case a["sasl_username"] == "newsletter@quay.example" && a["protocol_state"] == "RCPT" && a["recipient"] == "marie@harbour.example":
		return "DEFER_IF_PERMIT Sending rate limit"
	}
	return "DUNNO"
}
