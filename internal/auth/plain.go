package auth

import (
	"context"
	"encoding/base64"
	"net/netip"
)

// Plain asks Dovecot for somebody else than Postfix whether a password is right (RFC 4616). user is
// what Dovecot calls who has logged in. An error means that nobody knows.
func (u *Upstream) Plain(ctx context.Context, service, login string, password []byte, client netip.Addr) (user string, ok bool, err error) {
	message := make([]byte, 0, 2+len(login)+len(password))
	message = append(append(append(message, 0), login...), 0)
	message = append(message, password...)
	defer clear(message)
	r := request{mechanism: "PLAIN", params: []string{"service=" + service, "nologin", "secured"}, hasResponse: true}
	if client.IsValid() {
		r.params = append(r.params, "rip="+client.String())
	}
	r.response = make([]byte, base64.StdEncoding.EncodedLen(len(message)))
	defer clear(r.response)
	base64.StdEncoding.Encode(r.response, message)
	exchange := u.Begin()
	defer exchange.Close()
	a, err := exchange.Start(ctx, &r, nil)
	return a.user, err == nil && a.kind == right, err
}
