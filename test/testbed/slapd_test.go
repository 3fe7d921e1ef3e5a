package testbed

import (
	"os/exec"
	"strings"
	"testing"
)

// A slapd finds its entries again after it was stopped, at each of its addresses.
func TestSlapdKeepsEntries(t *testing.T) {
	t.Parallel()
	s := StartSlapd(t, "dn: cn=a,dc=test\nobjectClass: mailThing\nmail: a@a.example\n\n")
	if err := s.Do("dn: cn=b,dc=test\nobjectClass: mailThing\nmail: b@b.example\n"); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := s.Do(""); err == nil {
		t.Fatal("a server that was stopped answers")
	}
	s.Start()
	for _, url := range []string{"ldap://" + s.Address, "ldaps://" + s.TLS, s.URL()} {
		cmd := exec.Command("ldapsearch", "-LLL", "-x", "-H", url, "-b", LDAPSuffix, "mail=*", "mail")
		cmd.Env = []string{"LDAPTLS_CACERT=" + s.Authority, "LDAPTLS_REQCERT=demand"}
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "a@a.example") || !strings.Contains(string(out), "b@b.example") {
			t.Errorf("%s: %v\n%s", url, err, out)
		}
	}
	if err := s.Do("dn: cn=b,dc=test\nobjectClass: nosuch\n"); err == nil {
		t.Error("a wrong entry is no error")
	}
}
