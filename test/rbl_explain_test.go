package test

import (
	"os/exec"
	"strings"
	"testing"

	"mailweir/test/testbed"
)

// Explain shows what every list made of the case, and each question with its answer, whether or not
// anything is to be refused.
func TestExplainLists(t *testing.T) {
	zones := append(ipv4Lists("127.0.0.66\n", "bl.example"), ipv4Lists("", "clean.example")...)
	zones = append(zones, ipv4Lists("127.0.0.66 :127.255.255.254:over quota\n127.0.0.67 :127.255.255.254:over quota\n", "ill.example")...)
	zones = append(zones, ipv4Lists("127.0.0.66\n", "new.example")...)
	zones = append(zones,
		testbed.Zone{Name: "empty.example", Type: "ip4set", Data: ":127.0.0.2:\n192.0.2.1\n"},
		testbed.Zone{Name: "dbl.example", Type: "dnset", Data: ":127.0.0.2:A bad name\ntest\nbad.example\n"})
	dns := testbed.StartDNS(t, testbed.DNSConfig{Zones: zones})
	binary := testbed.BuildMailweir(t)
	for _, tt := range []struct {
		name  string
		flags []string
		parts []string // in this order
	}{
		{"listed", []string{"--client=127.0.0.66", "--from=a@example.net"}, []string{
			"rbl", "objects: 550 5.7.1 bl.example Blocked - see Listed",
			"127.0.0.66: score 2 (bl.example +2 127.0.0.2, clean.example not listed, ill.example error: answer 127.255.255.254",
			"new.example +1 127.0.0.2 monitored, empty.example suspended: self-test: its test entry is not listed)",
			"A 66.0.0.127.bl.example → 127.0.0.2", `TXT 66.0.0.127.bl.example → "Listed"`, "A 66.0.0.127.clean.example → no such name",
			"A 66.0.0.127.ill.example → 127.255.255.254", "A 66.0.0.127.new.example → 127.0.0.2",
		}},
		{"could not tell", []string{"--client=127.0.0.67", "--from=a@example.net"}, []string{
			"check error", "127.0.0.67: score 0 (bl.example not listed, clean.example not listed, ill.example error: answer 127.255.255.254",
			"A 67.0.0.127.bl.example → no such name",
		}},
		{"not listed", []string{"--client=127.0.0.68", "--from=a@example.net"}, []string{
			"nothing against it (127.0.0.68: score 0 (bl.example not listed, clean.example not listed, ill.example not listed, new.example not listed, empty.example suspended",
			"A 68.0.0.127.bl.example → no such name", "nothing against it (example.net: score 0 (dbl.example not listed))",
		}},
		{"name", []string{"--client=127.0.0.68", "--from=a@bad.example", "--client-name=good.example"}, []string{
			"objects: 550 5.7.1 dbl.example Blocked - see A bad name",
			"bad.example: score 1 (dbl.example +1 127.0.0.2); good.example: score 0 (dbl.example not listed)",
			"A bad.example.dbl.example → 127.0.0.2", "A good.example.dbl.example → no such name",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := []string{
				"explain", "--dns=" + dns.Address, "--trusted-nets=192.0.2.1/32", "--to=b@example.org", "--rhsbl-zone=dbl.example", "--rbl-monitor-zone=new.example",
				"--rbl-zone=bl.example*2,clean.example,ill.example,new.example,empty.example",
			}
			out, err := exec.Command(binary, append(args, tt.flags...)...).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			rest := string(out)
			for _, part := range tt.parts {
				_, after, found := strings.Cut(rest, part)
				if !found {
					t.Fatalf("without %q in its place:\n%s", part, out)
				}
				rest = after
			}
		})
	}
}
