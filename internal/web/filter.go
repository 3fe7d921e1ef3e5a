package web

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/moment"
	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/web/view"
)

// filterFields are the fields of the filter by their names in a URL, in the order of the form.
func filterFields(f *view.Filter) []filterField {
	return []filterField{
		{"since", "Since", &f.Since},
		{"until", "Until", &f.Until},
		{"from", "Sender", &f.Sender},
		{"to", "Recipient", &f.Recipient},
		{"client", "Client", &f.Client},
		{"check", "Check", &f.Check},
		{"not", "Not check", &f.NotCheck},
		{"text", "Text", &f.Text},
		{"show", "Show", &f.Show},
		{"code", "Reply code", &f.Code},
		{"mode", "Mode", &f.Mode},
		{"action", "Action", &f.Action},
		{"fate", "Outcome of a message", &f.Fate},
		{"service", "Service", &f.Service},
		{"direction", "Direction", &f.Direction},
		{"login", "Login", &f.Login},
		{"mid", "Message-Id", &f.MessageID},
		{"queue", "Queue id", &f.QueueID},
		{"session", "Session", &f.Session},
		{"host", "Host", &f.Host},
	}
}

type filterField struct {
	name, label string
	value       *string
}

// readFilter reads a filter from the values of a URL.
func readFilter(values url.Values) (f view.Filter) {
	for _, field := range filterFields(&f) {
		*field.value = strings.TrimSpace(values.Get(field.name))
	}
	return f
}

// filterValues makes the values of a URL of a filter; what is empty is left out.
func filterValues(f view.Filter) url.Values {
	values := url.Values{}
	for _, field := range filterFields(&f) {
		if *field.value != "" {
			values.Set(field.name, *field.value)
		}
	}
	return values
}

// queryOf makes the query of a filter, and says which fields are wrong. known are the names of the
// checks.
func queryOf(f view.Filter, known []string, now time.Time) (record.Query, []view.Wrong) {
	r := filterReader{known: known}
	q := record.Query{
		Since: r.moment("Since", f.Since, now, false), Until: r.moment("Until", f.Until, now, true),
		Sender: party(f.Sender), Recipient: party(f.Recipient), Client: r.client(f.Client),
		Checks: r.checks("Check", f.Check), NotChecks: r.checks("Not check", f.NotCheck),
		Text: f.Text, Kind: r.kind(f.Show), Code: r.code(f.Code), Modes: r.modes(f.Mode),
		Actions: oneName(&r, "Action", f.Action, (*policy.Action).UnmarshalText),
		Fates:   oneName(&r, "Outcome of a message", f.Fate, (*policy.Fate).UnmarshalText),
		Service: policy.Service(f.Service), Direction: f.Direction, Login: f.Login,
		MessageID: f.MessageID, QueueID: f.QueueID, Session: f.Session, Host: f.Host,
	}
	return q, r.wrong
}

// filterReader reads fields and gathers what is wrong with them.
type filterReader struct {
	known []string
	wrong []view.Wrong
}

func (r *filterReader) fail(label, format string, args ...any) {
	r.wrong = append(r.wrong, view.Wrong{Label: label, Why: fmt.Sprintf(format, args...)})
}

func (r *filterReader) moment(label, text string, now time.Time, end bool) time.Time {
	if strings.TrimSpace(text) == "" {
		return time.Time{}
	}
	m, err := moment.Parse(text, end)
	if err != nil {
		r.fail(label, "%v", err)
	}
	return m.At(now)
}

// party is an address or a domain of a query; a domain may stand without its @.
func party(text string) string {
	if text == "" || text == "<>" || strings.Contains(text, "@") {
		return text
	}
	return "@" + text
}

func (r *filterReader) client(text string) netip.Prefix {
	if text == "" {
		return netip.Prefix{}
	}
	net, err := clientNet(text)
	if err != nil {
		r.fail("Client", "%v", err)
	}
	return net
}

// clientNet reads an address or a net.
func clientNet(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		a = a.Unmap().WithZone("")
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	net, err := netip.ParsePrefix(text)
	if err != nil {
		return net, fmt.Errorf("%q is neither an address nor a net such as 192.0.2.0/24", text)
	}
	return net.Masked(), nil
}

// checks reads names with commas or blanks between them.
func (r *filterReader) checks(label, text string) (names []string) {
	for _, name := range strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == ' ' }) {
		if !slices.Contains(r.known, name) {
			r.fail(label, "there is no check %q; the checks are %s", name, strings.Join(r.known, ", "))
			continue
		}
		names = append(names, name)
	}
	return names
}

func (r *filterReader) kind(text string) record.Kind {
	switch text {
	case "":
		return record.Decisions
	case "messages":
		return record.Messages
	case "all":
		return record.AnyKind
	}
	r.fail("Show", "%q is neither messages nor all", text)
	return record.Decisions
}

// code reads 550, 4xx or 5xx.
func (r *filterReader) code(text string) string {
	text = strings.ToLower(text)
	n, err := strconv.Atoi(strings.Replace(text, "xx", "00", 1))
	if text != "" && (err != nil || len(text) != 3 || n < 400 || n > 599) {
		r.fail("Reply code", "%q is no code such as 550, and neither 4xx nor 5xx", text)
		return ""
	}
	return text
}

func (r *filterReader) modes(text string) []policy.Mode {
	var m policy.Mode
	if text == "" {
		return nil
	}
	if err := m.Set(text); err != nil {
		r.fail("Mode", "%v", err)
		return nil
	}
	return []policy.Mode{m}
}

// oneName reads the name of a value as it stands in logs.
func oneName[T any](r *filterReader, label, text string, read func(*T, []byte) error) []T {
	var value T
	if text == "" {
		return nil
	}
	if err := read(&value, []byte(text)); err != nil {
		r.fail(label, "%v", err)
		return nil
	}
	return []T{value}
}
