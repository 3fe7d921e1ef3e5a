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

// scanner proposes to have mailweir ask rspamd, about all mail as its milter is, and tells where
// Postfix does so itself. It is only proposed: while both ask, each message is looked at twice.
func (r *reading) scanner() {
	if len(r.files) == 0 {
		return
	}
	at := []importing.Place{}
	if r.Postfix != nil {
		at = r.milters()
	}
	off := "to have mailweir ask rspamd, take the # away here and below; rspamd's milter goes out of Postfix's smtpd_milters when spam is enforced: before, no field and no DKIM signature is added"
	if r.workerOff() {
		off += "; rspamd's normal worker is switched off (worker-normal.inc): switch it on first"
	}
	r.Flags = append(r.Flags, importing.Flag{Name: "spam-scanner", Value: "rspamd:" + r.worker(), From: at, Off: off}, importing.Flag{
		Name: "spam-direction", Value: "inbound,outbound,internal", From: at,
		Off: "goes with spam-scanner: rspamd's milter sees mail of your own users, too, and without it that is neither scanned nor signed",
	})
}

// workerOff reports whether the worker that is asked is switched off, as where the one for milters
// scans by itself.
func (r *reading) workerOff() (off bool) {
	for _, f := range r.files {
		if f.name == "worker-normal.inc" && f.root.get("enabled") != nil {
			off = !f.root.is("enabled")
		}
	}
	return off
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
			r.Left(at, m.Text, "Postfix goes on asking rspamd; mailweir can do it instead (spam-scanner), but not about what it permits, nor about mail for postmaster or abuse alone")
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
