package entry

import (
	"fmt"
	"io"
	"net/netip"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/terminal"
)

// By is the record of an entry that a person makes.
func By(c *policy.Call) Origin {
	return Origin{By: c.By.Name, UID: c.By.UID, At: c.Backends.Clock().UTC(), Note: c.Why}
}

// Ends tells a table when an entry ends.
func Ends(t time.Time) string {
	if t.IsZero() {
		return "permanently"
	}
	return terminal.Time(t)
}

// Lasts tells the audit how long an entry lasts.
func Lasts(c *policy.Call) string {
	if c.For == 0 {
		return "permanently"
	}
	return "for " + policy.FormatDuration(c.For)
}

// OneClient reads the only argument of a command as a client's address.
func OneClient(args []string) (netip.Addr, error) {
	if len(args) != 1 {
		return netip.Addr{}, policy.Wrongf("give one address, such as 192.0.2.1 or 2001:db8::1")
	}
	client, err := netip.ParseAddr(args[0])
	if err != nil {
		return netip.Addr{}, policy.Wrongf("%q is not an address such as 192.0.2.1 or 2001:db8::1", args[0])
	}
	return client.Unmap().WithZone(""), nil
}

// Done is the answer of an operation that has entered something: what the person should know of
// it.
type Done struct {
	Notes []string `json:"notes,omitempty"`
}

// Note adds a sentence, "" adds none.
func (d *Done) Note(text string) {
	if text != "" {
		d.Notes = append(d.Notes, text)
	}
}

// ShowNotes prints the notes.
func ShowNotes(out io.Writer, d Done) error {
	for _, note := range d.Notes {
		if _, err := fmt.Fprintln(out, "note:", note); err != nil {
			return err
		}
	}
	return nil
}
