package testbed

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// LDAPSuffix is the suffix of a Slapd's directory, LDAPAdmin who may do everything in it, with the
// password LDAPPassword.
const (
	LDAPSuffix   = "dc=test"
	LDAPAdmin    = "cn=admin," + LDAPSuffix
	LDAPPassword = "very-secret"
)

// Slapd is one OpenLDAP server that can be stopped and started again at the same addresses with the
// same entries.
type Slapd struct {
	Address   string // of ldap://, with STARTTLS
	TLS       string // of ldaps://
	Socket    string // of ldapi://
	Authority string // file with the certificate that has signed the server's, for 127.0.0.1
	*Process
	tb  TB
	ca  *authority
	cmd func() *exec.Cmd
}

// slapdSchema has the attributes of ldap_table(5)'s examples, for entries of any class beside
// "mailThing".
const slapdSchema = `
attributetype ( 1.1.1.1 NAME 'mailacceptinggeneralid' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.1.1.2 NAME 'maildrop' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.1.1.3 NAME 'proxyAddresses' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.1.1.4 NAME 'memberURL' EQUALITY caseExactMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.1.1.5 NAME 'octets' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )
attributetype ( 1.1.1.6 NAME 'userAccountControl' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
objectclass ( 1.1.2.1 NAME 'mailThing' SUP top STRUCTURAL MAY ( cn $ mail $ member $ description $
  mailacceptinggeneralid $ maildrop $ proxyAddresses $ memberURL $ octets $ userAccountControl $ userPassword ) )
`

// StartSlapd starts a slapd with these entries (LDIF) below LDAPSuffix, whose own entry is there
// already; extra are further lines for the database in slapd.conf. It speaks LDAP 2 as well.
func StartSlapd(tb TB, ldif string, extra ...string) *Slapd {
	tb.Helper()
	Require(tb, "ldap")
	dir := TempDir(tb)
	ca := newAuthority(tb, dir)
	cert, key := ca.loopback(tb, dir)
	s := &Slapd{Address: FreeAddress(tb), TLS: FreeAddress(tb), Socket: filepath.Join(dir, "ldapi"), Authority: ca.file, tb: tb, ca: ca}
	conf, data := filepath.Join(dir, "slapd.conf"), filepath.Join(dir, "data.ldif")
	writeFile(tb, filepath.Join(dir, "mail.schema"), []byte(slapdSchema), 0o644)
	writeFile(tb, conf, []byte(slapdConf(dir, ca.file, cert, key, extra)), 0o600)
	writeFile(tb, data, []byte("dn: "+LDAPSuffix+"\nobjectClass: domain\ndc: test\n\n"+ldif), 0o600)
	if out, err := exec.Command("slapadd", "-f", conf, "-l", data).CombinedOutput(); err != nil {
		tb.Fatalf("slapadd: %v\n%s", err, out)
	}
	listen := fmt.Sprintf("ldap://%s ldaps://%s %s", s.Address, s.TLS, s.URL())
	s.cmd = func() *exec.Cmd { return exec.Command("slapd", "-d", "0", "-h", listen, "-f", conf) }
	s.Start()
	return s
}

func slapdConf(dir, ca, cert, key string, extra []string) string {
	return fmt.Sprintf(`include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include %[1]s/mail.schema
pidfile %[1]s/pid
modulepath /usr/lib/ldap
moduleload back_mdb
allow bind_v2
TLSCACertificateFile %[2]s
TLSCertificateFile %[3]s
TLSCertificateKeyFile %[4]s
TLSVerifyClient try
authz-regexp gidNumber=0\\+uidNumber=0,cn=peercred,cn=external,cn=auth %[5]s
authz-regexp cn=([^,]+) cn=$1,%[6]s
database mdb
maxsize 16777216
dbnosync
suffix %[6]s
rootdn %[5]s
rootpw %[7]s
directory %[1]s
%[8]s
`, dir, ca, cert, key, LDAPAdmin, LDAPSuffix, LDAPPassword, strings.Join(extra, "\n"))
}

// URL is the address of the unix socket as a URL.
func (s *Slapd) URL() string { return "ldapi://" + url.QueryEscape(s.Socket) }

// Start starts the server after Stop or Kill.
func (s *Slapd) Start() {
	s.tb.Helper()
	s.Process = start(s.tb, s.cmd())
	s.mayExit = 1 // told to end before its main thread has seen that it listens, it says that it could not
	if err := untilOr(s.done, s.greet); err != nil {
		s.tb.Fatalf("slapd %s: %v\n%s", s.Address, err, s.Log)
	}
}

// Do changes entries: LDIF as for ldapmodify; what names no change is added.
func (s *Slapd) Do(ldif string) error {
	cmd := exec.Command("ldapmodify", "-a", "-x", "-H", "ldap://"+s.Address, "-D", LDAPAdmin, "-w", LDAPPassword)
	cmd.Stdin = strings.NewReader(ldif)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ldapmodify: %w\n%s", err, out)
	}
	return nil
}

// ClientCertificate writes a certificate with that common name, signed by the server's authority,
// and its key.
func (s *Slapd) ClientCertificate(name string) (certFile, keyFile string) {
	s.tb.Helper()
	return s.ca.write(s.tb, TempDir(s.tb), certificateTemplate(name))
}

// greet binds anonymously (RFC 4511 section 4.2) and waits for the answer.
func (s *Slapd) greet() error {
	conn, err := net.DialTimeout("tcp", s.Address, Patience)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(Patience)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte("\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00")); err != nil {
		return err
	}
	answer := make([]byte, 6)
	if _, err := io.ReadFull(conn, answer); err != nil {
		return err
	}
	if answer[5] != 0x61 { // BindResponse
		return errors.New("no answer to a bind")
	}
	return nil
}
