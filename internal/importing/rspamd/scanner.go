package rspamd

import (
	"net"
	"strings"

	"mailweir/internal/importing"
	"mailweir/internal/mta/postfix"
)

// Ports of rspamd: where its milter listens, and where it is asked about messages.
const (
	milterPort = "11332"
	askedAt    = "11333"
)

// scanner proposes to have mailweir ask rspamd, and tells where Postfix does so itself. It is only
// proposed: while both ask, each message is looked at twice.
func (r *reading) scanner() {
	if len(r.files) == 0 {
		return
	}
	at := []importing.Place{}
	if r.Postfix != nil {
		at = r.milters()
	}
	r.Flags = append(r.Flags, importing.Flag{
		Name: "spam-scanner", Value: "rspamd:" + r.worker(), From: at,
		Off: "to have mailweir ask rspamd, take the # away and rspamd's milter out of Postfix's smtpd_milters",
	})
}

// milters accounts for the entries of smtpd_milters that are rspamd's.
func (r *reading) milters() (places []importing.Place) {
	services := append([]*postfix.Service{nil}, r.Postfix.SMTPServers()...)
	for _, s := range services {
		if s != nil && s.Overrides["smtpd_milters"] == "" {
			continue
		}
		milters, _ := postfix.ParseMilters(r.Postfix.Value(s, "smtpd_milters"))
		for _, m := range milters {
			endpoint, err := postfix.ParseEndpoint(m.Address)
			if err != nil || endpoint.Port != r.milterPort() && !strings.Contains(endpoint.Path, "rspamd") {
				continue
			}
			at := r.At(s, "smtpd_milters", m.Text)
			places = append(places, at)
			r.Left(at, m.Text, "Postfix goes on asking rspamd; mailweir can do it instead (spam-scanner)")
		}
	}
	return places
}

// milterPort is that of the worker for milters.
func (r *reading) milterPort() string {
	if _, port := r.socket("worker-proxy.inc"); port != "" {
		return port
	}
	return milterPort
}

// worker is where the normal worker is asked.
func (r *reading) worker() string {
	host, port := r.socket("worker-normal.inc")
	if strings.HasPrefix(host, "/") {
		return "unix:" + host
	}
	if port == "" {
		port = askedAt
	}
	if host == "" || host == "*" || strings.EqualFold(host, "localhost") {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// socket is the first bind_socket that a file of a worker sets: HOST:PORT, or a path.
func (r *reading) socket(name string) (host, port string) {
	for _, f := range r.files {
		if f.name != name {
			continue
		}
		bound := f.root.get("bind_socket")
		if bound == nil {
			continue
		}
		text := bound.text
		if len(bound.items) > 0 {
			text = bound.items[0].text
		}
		text, _, _ = strings.Cut(text, " ")
		if strings.HasPrefix(text, "/") {
			return text, ""
		}
		if host, port, err := net.SplitHostPort(text); err == nil {
			return host, port
		}
	}
	return "", ""
}
