package dialog

import (
	"crypto/tls"
	"fmt"
	"strings"

	"mailweir/test/testbed"
)

// handshake is what stands behind "TLS:".
type handshake struct {
	version    uint16 // the newest that the client speaks, 0 for any
	name       string // common name of the client's certificate, "" without one
	selfSigned bool
}

// parseHandshake reads "1.2", "as NAME" and "self-signed", each of which may be missing.
func parseHandshake(text string) (h handshake, err error) {
	words := strings.Fields(text)
	for i := 0; i < len(words); i++ {
		switch word := words[i]; {
		case word == "1.2":
			h.version = tls.VersionTLS12
		case word == "1.3":
			h.version = tls.VersionTLS13
		case word == "as" && i+1 < len(words):
			i++
			h.name = words[i]
		case word == "self-signed" && h.name != "":
			h.selfSigned = true
		default:
			return h, fmt.Errorf("a handshake is written: TLS: [1.2|1.3] [as NAME [self-signed]], not %q", text)
		}
	}
	return h, nil
}

// startTLS performs the handshake.
func (c *conversation) startTLS(text string) error {
	h, err := parseHandshake(text)
	if err != nil {
		return err
	}
	config := &tls.Config{MaxVersion: h.version}
	if h.name != "" {
		issue := c.run.mta.ClientCertificate
		if h.selfSigned {
			issue = testbed.SelfSigned
		}
		cert, err := issue(h.name)
		if err != nil {
			return err
		}
		// The server names the authorities that it trusts; this client shows its certificate to
		// any.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }
	}
	return c.client.StartTLS(config)
}
