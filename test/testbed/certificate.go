package testbed

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"path/filepath"
	"time"
)

// authority signs the certificate of an MTA, and those of clients that the MTA is to trust.
type authority struct {
	file string // its own certificate
	cert tls.Certificate
}

func newAuthority(tb TB, dir string) *authority {
	tb.Helper()
	template := certificateTemplate("authority.test.example")
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage |= x509.KeyUsageCertSign
	cert, err := newCertificate(template, nil)
	if err != nil {
		tb.Fatalf("authority: %v", err)
	}
	a := &authority{file: filepath.Join(dir, "ca.pem"), cert: cert}
	writeFile(tb, a.file, encodePEM("CERTIFICATE", cert.Certificate[0]), 0o644)
	return a
}

// server writes a certificate and its key for the STARTTLS of an MTA.
func (a *authority) server(tb TB, dir string) (certFile, keyFile string) {
	tb.Helper()
	return a.write(tb, dir, certificateTemplate("mx.test.example"))
}

// loopback writes a certificate and its key for a server at 127.0.0.1.
func (a *authority) loopback(tb TB, dir string) (certFile, keyFile string) {
	tb.Helper()
	template := certificateTemplate("localhost")
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	return a.write(tb, dir, template)
}

func (a *authority) write(tb TB, dir string, template *x509.Certificate) (certFile, keyFile string) {
	tb.Helper()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	cert, err := newCertificate(template, &a.cert)
	if err != nil {
		tb.Fatalf("certificate: %v", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		tb.Fatalf("certificate: %v", err)
	}
	writeFile(tb, certFile, encodePEM("CERTIFICATE", cert.Certificate[0]), 0o644)
	writeFile(tb, keyFile, encodePEM("PRIVATE KEY", der), 0o600)
	return certFile, keyFile
}

// ClientCertificate makes a certificate with that common name, signed by the authority that the MTA
// trusts.
func (m *MTA) ClientCertificate(name string) (tls.Certificate, error) {
	return newCertificate(certificateTemplate(name), &m.authority.cert)
}

// SelfSigned makes a certificate with that common name that nobody has signed.
func SelfSigned(name string) (tls.Certificate, error) {
	return newCertificate(certificateTemplate(name), nil)
}

func certificateTemplate(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		DNSNames:     []string{name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
}

// newCertificate makes a key and its certificate, signed by the parent or, without one, by itself.
func newCertificate(template *x509.Certificate, parent *tls.Certificate) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	issuer, signer := template, any(key)
	if parent != nil {
		if issuer, err = x509.ParseCertificate(parent.Certificate[0]); err != nil {
			return tls.Certificate{}, fmt.Errorf("authority: %w", err)
		}
		signer = parent.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), signer)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

func encodePEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
