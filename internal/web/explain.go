package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"mailweir/internal/explain"
	"mailweir/internal/policy"
	"mailweir/internal/record/why"
	"mailweir/internal/web/view"
)

// pageExplain plays one case through the policy.
const pageExplain = "/explain"

const (
	// messageMost is how large a message may be that is shown; explainMost has room for the rest of
	// the form.
	messageMost = 25 << 20
	explainMost = messageMost + 1<<20
	// inMemory is how much of a form is read into memory. A message is never written to a file.
	inMemory = explainMost
)

// explainForm shows the form, filled in by the address of the page.
func (p *Pages) explainForm(w http.ResponseWriter, r *http.Request, v policy.Person) {
	p.render(w, r, http.StatusOK, view.Explain(p.page(r, v, "Explain", pageExplain), view.ExplainPage{Form: explainFields(r.URL.Query().Get)}))
}

// explainFields are the fields as they have been filled in.
func explainFields(get func(string) string) view.ExplainForm {
	f := view.ExplainForm{
		Client: get("client"), Name: get("client-name"), Helo: get("helo"), Login: get("login"), Service: get("service"), Time: get("time"),
		From: get("from"), To: get("to"), TLS: get("tls"), Bits: get("tls-bits"), Cert: get("tls-cert"), Size: get("declared-size"),
		SMTPUTF8: get("smtputf8") == "on", Scanners: get("scanners") == "on",
	}
	if f.Service == "" {
		f.Service = "mx"
	}
	return f
}

// explain plays the case. Nothing of it is kept, the message least of all.
func (p *Pages) explain(w http.ResponseWriter, r *http.Request, v policy.Person) {
	if err := r.ParseMultipartForm(inMemory); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		p.fail(w, r, v, http.StatusRequestEntityTooLarge, "the form is too large, or broken: a message may have "+view.Octets(messageMost))
		return
	}
	page := view.ExplainPage{}
	page.Form = explainFields(r.PostFormValue)
	c, m, name, err := readCase(r, page.Form)
	var t *explain.Transcript
	if err == nil {
		t, err = p.InForce.Explain(r.Context(), c, m)
	}
	status := http.StatusOK
	if err != nil {
		page.Trouble, status = words(err), statusOf(err)
	} else {
		page.Transcript, page.Command = t, explainCommand(page.Form, name)
	}
	p.render(w, r, status, view.Explain(p.page(r, v, "Explain", pageExplain), page))
}

// readCase reads the case and the message, which is nil where there is none; name is its file's.
func readCase(r *http.Request, f view.ExplainForm) (c *explain.Case, m *explain.Message, name string, err error) {
	c = &explain.Case{
		Client: f.Client, Name: f.Name, Helo: f.Helo, Login: f.Login, Service: f.Service, Time: f.Time, From: f.From,
		To: strings.Fields(strings.ReplaceAll(f.To, ",", " ")), TLS: f.TLS, Cert: f.Cert, SMTPUTF8: f.SMTPUTF8, NoScanners: !f.Scanners,
	}
	if c.Bits, err = number("tls-bits", f.Bits); err != nil {
		return nil, nil, "", err
	}
	size, err := number("declared-size", f.Size)
	if err != nil {
		return nil, nil, "", err
	}
	c.Size = int64(size)
	file, header, err := r.FormFile("message")
	if err != nil || header.Size == 0 {
		return c, nil, "", nil
	}
	defer file.Close()
	if header.Size > messageMost {
		return nil, nil, "", policy.Wrongf("the message has %s; %s are the most that is explained here", view.Octets(header.Size), view.Octets(messageMost))
	}
	if len(c.To) == 0 {
		return nil, nil, "", policy.Wrongf("a message needs a recipient: fill in who it is to")
	}
	m, err = explain.ReadMessage(file)
	return c, m, header.Filename, err
}

func number(flag, text string) (int, error) {
	if text = strings.TrimSpace(text); text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, policy.Wrongf("--%s: %q is not a whole number", flag, policy.Clean(text))
	}
	return int(n), nil
}

// explainCommand is the command that says the same.
func explainCommand(f view.ExplainForm, message string) string {
	line := []string{"explain"}
	add := func(flag, value string) {
		if value != "" {
			line = append(line, "--"+flag+"="+value)
		}
	}
	add("client", f.Client)
	add("client-name", f.Name)
	add("helo", f.Helo)
	add("login", f.Login)
	if f.Service != "mx" {
		add("service", f.Service)
	}
	add("time", f.Time)
	add("from", f.From)
	for _, to := range strings.Fields(strings.ReplaceAll(f.To, ",", " ")) {
		add("to", to)
	}
	add("tls", f.TLS)
	add("tls-bits", f.Bits)
	add("tls-cert", f.Cert)
	add("declared-size", f.Size)
	if f.SMTPUTF8 {
		line = append(line, "--smtputf8")
	}
	if !f.Scanners {
		line = append(line, "--no-scanners")
	}
	if message != "" {
		line = append(line, message)
	}
	return why.Shell(append([]string{"mailweir"}, line...)...)
}
