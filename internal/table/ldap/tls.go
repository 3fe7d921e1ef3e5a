package ldap

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"mailweir/internal/table/postfixcf"
)

// tlsFiles are a table's parameters for TLS. The files are read for each connection, so that
// certificates can be renewed.
type tlsFiles struct {
	verify        bool
	caFile, caDir string
	cert, key     string
}

// config is the configuration for a connection to a host.
func (t tlsFiles) config(host string) (*tls.Config, error) {
	own, err := t.certificates()
	if err != nil {
		return nil, err
	}
	c := &tls.Config{
		ServerName:         host,
		Certificates:       own,
		InsecureSkipVerify: true, // what libldap would check is checked below
	}
	if !t.verify {
		return c, nil
	}
	roots, err := t.roots()
	if err != nil {
		return nil, err
	}
	c.VerifyConnection = func(state tls.ConnectionState) error { return verify(state, roots, host) }
	return c, nil
}

// certificates are those that we show, none or one.
func (t tlsFiles) certificates() ([]tls.Certificate, error) {
	if t.cert == "" {
		return nil, nil
	}
	pair, err := postfixcf.KeyPair(t.cert, t.key)
	return []tls.Certificate{pair}, err
}

// roots are the authorities that are trusted; nil for those of the system.
func (t tlsFiles) roots() (*x509.CertPool, error) {
	if t.caFile == "" && t.caDir == "" {
		return nil, nil
	}
	var files []string
	if t.caFile != "" {
		files = append(files, t.caFile)
	}
	if t.caDir != "" {
		inside, err := filepath.Glob(filepath.Join(t.caDir, "*"))
		if err != nil {
			return nil, err
		}
		files = append(files, inside...)
	}
	pool, any := x509.NewCertPool(), false
	for _, file := range files {
		pem, err := postfixcf.ReadOther(file)
		if err != nil && file == t.caFile {
			return nil, err
		}
		any = pool.AppendCertsFromPEM(pem) || any
	}
	if !any {
		return nil, fmt.Errorf("%s: there is no certificate of an authority", strings.TrimSpace(t.caFile+" "+t.caDir))
	}
	return pool, nil
}

// verify checks a server's certificate as libldap does: it is also taken for the host by its common
// name, and for localhost by the name of this machine.
func verify(state tls.ConnectionState, roots *x509.CertPool, host string) error {
	leaf := state.PeerCertificates[0]
	options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
	for _, c := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(c)
	}
	if _, err := leaf.Verify(options); err != nil {
		return err
	}
	err := leaf.VerifyHostname(host)
	if err == nil || sameName(leaf.Subject.CommonName, host) {
		return nil
	}
	if strings.EqualFold(host, "localhost") {
		if own, osErr := os.Hostname(); osErr == nil && (leaf.VerifyHostname(own) == nil || sameName(leaf.Subject.CommonName, own)) {
			return nil
		}
	}
	return err
}

// sameName compares a common name with a host; "*." in front stands for one label.
func sameName(name, host string) bool {
	if parent, wild := strings.CutPrefix(name, "*."); wild {
		_, rest, dotted := strings.Cut(host, ".")
		return dotted && strings.EqualFold(parent, rest)
	}
	return name != "" && strings.EqualFold(name, host)
}
