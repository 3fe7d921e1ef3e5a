package testbed

import (
	"net"
	"os"
	"strings"
	"testing"
)

func TestHost(t *testing.T) {
	tree := TempDir(t)
	if err := os.MkdirAll(tree+"/postfix", 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, tree+"/postfix/main.cf", []byte("compatibility_level = 3.6\nmyhostname = own.host.example\ninet_interfaces = 127.0.0.1\n"), 0o644)
	h := NewHost(t, tree)
	out, err := h.Command("sh", "-c", "postconf -h myhostname").Output()
	if err != nil || !strings.HasPrefix(string(out), "own.host.example\n") {
		t.Errorf("%q, %v", out, err)
	}
	master := masterCF(&MTA{MX: h.Address + ":25", Submission: h.Address + ":587", Reinject: h.Address + ":10025"})
	writeFile(t, h.Etc("postfix/master.cf"), []byte(master), 0o644)
	writeFile(t, h.Etc("postfix/main.cf"), []byte("compatibility_level = 3.6\nmyhostname = own.host.example\ninet_interfaces = 127.0.0.1\nsmtpd_peername_lookup = no\nmaillog_file = "+h.Log()+"\nmaillog_file_prefixes = "+h.Dir+"\n"), 0o644)
	h.StartPostfix(t, "25", "587")
	c, err := Dial(net.JoinHostPort(h.Address, "25"), "")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if reply, err := c.ReadReply(); err != nil || !strings.HasPrefix(reply[0], "220 own.host.example") {
		t.Errorf("%q, %v\n%s", reply, err, h.LogText())
	}
}
