package sql

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/go-sql-driver/mysql"

	"mailweir/internal/backend"
	"mailweir/internal/table/postfixcf"
)

// mysqlTLS is how TCP connections are secured. With a CA the server's certificate must be signed by
// it, with verify it must be for the host as well; so does Postfix with MariaDB's library.
type mysqlTLS struct {
	ca, dir    string // file, directory
	cert, key  string
	verify     bool
	verifySaid bool // tls_verify_cert is given
	wanted     bool // by an option file
}

func readMySQLTLS(f *postfixcf.File) mysqlTLS {
	t := mysqlTLS{
		ca: f.String("tls_CAfile", ""), dir: f.String("tls_CApath", ""),
		cert: f.String("tls_cert_file", ""), key: f.String("tls_key_file", ""),
		verify: f.Bool("tls_verify_cert", false), verifySaid: f.Has("tls_verify_cert"),
	}
	if f.Has("tls_ciphers") {
		f.Remarkf("tls_ciphers", "tls_ciphers is not looked at: connections have the ciphers of TLS 1.2 and 1.3 that are secure")
	}
	t.check(f)
	return t
}

// check reads the files, so that an error names the line.
func (t mysqlTLS) check(f *postfixcf.File) {
	name := "tls_CAfile"
	if t.ca == "" {
		name = "tls_CApath"
	}
	if t.ca != "" || t.dir != "" {
		if _, err := t.authorities(); err != nil {
			f.Errorf(name, "%w", err)
		}
	}
	switch {
	case t.cert != "" && t.key == "":
		f.Errorf("tls_cert_file", "needs tls_key_file")
	case t.cert != "":
		if _, err := postfixcf.KeyPair(t.cert, t.key); err != nil {
			f.Errorf("tls_cert_file", "%w", err)
		}
	}
}

// needed reports whether connections without TLS are out of the question.
func (t mysqlTLS) needed() bool {
	return t.wanted || t.verify || t.ca != "" || t.dir != "" || t.cert != ""
}

// remark notes what may be sent to another host in clear text, or to somebody who only says that he
// is it.
func (t mysqlTLS) remark(f *postfixcf.File, a address) {
	switch {
	case a.network == "unix" || backend.Loopback(a.host):
	case !t.needed():
		f.Remarkf("hosts", "what is asked of %s may go there in clear text; with tls_CAfile it does not", a.name())
	case t.ca == "" && t.dir == "" && !t.verify:
		f.Remarkf("hosts", "whether %s is who it says is not known; with tls_CAfile it is", a.name())
	}
}

// apply sets up TLS for a host. Files are read for each connection, so that new ones need no
// reload.
func (t mysqlTLS) apply(cfg *mysql.Config, a address) error {
	if a.network == "unix" {
		return nil
	}
	if !t.needed() {
		if !backend.Loopback(a.host) {
			// Better than clear text, and no more is promised; old servers have old versions.
			cfg.AllowFallbackToPlaintext = true
			cfg.TLS = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10}
		}
		return nil
	}
	own := &tls.Config{ServerName: a.host}
	if t.ca != "" || t.dir != "" {
		var err error
		if own.RootCAs, err = t.authorities(); err != nil {
			return err
		}
	}
	if t.cert != "" {
		pair, err := postfixcf.KeyPair(t.cert, t.key)
		if err != nil {
			return err
		}
		own.Certificates = []tls.Certificate{pair}
	}
	if !t.verify {
		own.InsecureSkipVerify = true // the name is not looked at; the signature is, below
		if own.RootCAs != nil {
			own.VerifyConnection = signedBy(own.RootCAs)
		}
	}
	cfg.TLS = own
	return nil
}

// authorities reads tls_CAfile, or what is in tls_CApath.
func (t mysqlTLS) authorities() (*x509.CertPool, error) {
	files := []string{t.ca}
	if t.ca == "" {
		files, _ = filepath.Glob(filepath.Join(t.dir, "*"))
	}
	pool := x509.NewCertPool()
	some := false
	for _, name := range files {
		text, err := postfixcf.ReadOther(name)
		if err != nil && t.ca != "" {
			return nil, err
		}
		some = pool.AppendCertsFromPEM(text) || some
	}
	if !some {
		return nil, fmt.Errorf("%s%s has no certificate", t.ca, t.dir)
	}
	return pool, nil
}

// signedBy accepts a certificate for any host that one of the authorities has signed.
func signedBy(roots *x509.CertPool) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 {
			return errors.New("the server has shown no certificate")
		}
		between := x509.NewCertPool()
		for _, cert := range state.PeerCertificates[1:] {
			between.AddCert(cert)
		}
		_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between})
		return err
	}
}
