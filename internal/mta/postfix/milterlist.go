package postfix

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Attachment is how Postfix asks a milter: an entry of smtpd_milters.
type Attachment struct {
	// Address is unix:PATH or inet:HOST:PORT as smtpd sees it.
	Address string
	// Action is what becomes of mail while the milter does not answer: accept or tempfail.
	Action string
	// Protocol is the version of the milter protocol, 0 for the one of main.cf.
	Protocol int
}

// The times that Postfix waits: for a milter that is just being started, for a command (mailweir
// answers within 8 s) and for the end of a message (60 s).
const (
	connectTimeout = 30 * time.Second
	commandTimeout = 20 * time.Second
	contentTimeout = 70 * time.Second
)

// String is the entry as it stands in main.cf.
func (a Attachment) String() string {
	parts := []string{
		a.Address, "connect_timeout=" + seconds(connectTimeout), "command_timeout=" + seconds(commandTimeout),
		"content_timeout=" + seconds(contentTimeout),
	}
	if a.Protocol != 0 {
		parts = append(parts, "protocol="+strconv.Itoa(a.Protocol))
	}
	return "{ " + strings.Join(append(parts, "default_action="+a.Action), ", ") + " }"
}

func seconds(d time.Duration) string { return fmt.Sprintf("%ds", int(d.Seconds())) }

// Attach puts an entry in front of the value of a parameter as main.cf or master.cf has it, in
// place of one of the same address. What else stands there stays as it is.
func Attach(value string, a Attachment) string {
	rest := Detach(value, a.Address)
	if rest == "" {
		return a.String()
	}
	return a.String() + ", " + rest
}

// Detach takes the entries of an address out. The rest stays as it is.
func Detach(value, address string) string {
	for {
		start, end, found := entryOf(value, address)
		if !found {
			return strings.Trim(value, ", \t\r\n")
		}
		before := strings.TrimRight(value[:start], ", \t\r\n")
		after := strings.TrimLeft(value[end:], ", \t\r\n")
		if before != "" && after != "" {
			before += ", "
		}
		value = before + after
	}
}

// Entry is the entry of an address in a value, as it stands there.
func Entry(value, address string) (m Milter, found bool) {
	start, end, found := entryOf(value, address)
	if !found {
		return Milter{}, false
	}
	milters, err := ParseMilters(value[start:end])
	if err != nil || len(milters) != 1 {
		return Milter{}, false
	}
	return milters[0], true
}

// entryOf finds the first entry of an address: value[start:end].
func entryOf(value, address string) (start, end int, found bool) {
	at := 0
	for _, word := range SplitList(value) {
		start = at + strings.Index(value[at:], word)
		at = start + len(word)
		if milters, err := ParseMilters(word); err == nil && len(milters) == 1 && milters[0].Address == address {
			return start, at, true
		}
	}
	return 0, 0, false
}

// WithAction returns the value in which the entry of an address does action while the milter does
// not answer; its other options stay. found is false where there is none.
func WithAction(value, address, action string) (changed string, found bool) {
	start, end, found := entryOf(value, address)
	if !found {
		return value, false
	}
	m, _ := Entry(value, address)
	parts := []string{m.Address}
	for _, o := range m.Options {
		switch {
		case o.Name == "default_action":
		case strings.ContainsAny(o.Value, " \t,"):
			parts = append(parts, "{ "+o.Name+" = "+o.Value+" }")
		default:
			parts = append(parts, o.Name+"="+o.Value)
		}
	}
	parts = append(parts, "default_action="+action)
	return value[:start] + "{ " + strings.Join(parts, ", ") + " }" + value[end:], true
}
