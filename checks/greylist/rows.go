package greylist

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/state"
	"mailweir/internal/terminal"
)

// Row is one triplet that greylisting remembers, or with a net alone a client that is known.
type Row struct {
	Net       string `json:"net"`
	Sender    string `json:"sender,omitempty"`
	Recipient string `json:"recipient,omitempty"`
	// State is "known", "waiting", "waiting, retried", or "client, N passed".
	State string `json:"state"`
	// Since is when what waits was seen first, and when what is known passed.
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	// Note tells who let it pass, and why.
	Note string `json:"note,omitempty"`
}

func clientRow(t triplet, e state.Entry) (Row, bool) {
	_, note, _ := strings.Cut(string(e.Value), " ")
	return Row{Net: t.net, State: fmt.Sprintf("client, %d passed", passCount(e.Value)), Until: e.Until, Note: note}, true
}

func knownRow(t triplet, e state.Entry) (Row, bool) {
	first, note, _ := strings.Cut(string(e.Value), " ")
	since, _ := time.Parse(pendingTime, first) // the zero time where it is not readable
	return Row{Net: t.net, Sender: t.sender, Recipient: t.recipient, State: "known", Since: since, Until: e.Until, Note: note}, true
}

// pendingRow leaves out what has passed: it is among the known.
func pendingRow(t triplet, e state.Entry) (Row, bool) {
	p, readable := readPending(e.Value)
	row := Row{Net: t.net, Sender: t.sender, Recipient: t.recipient, State: "waiting", Since: p.first, Until: e.Until.Add(-grace)}
	if p.retried {
		row.State = "waiting, retried"
	}
	return row, readable && !p.passed
}

func listing(part policy.Part[Row]) policy.Listing {
	l := policy.Listing{Next: part.Next, Titles: []string{"CLIENT", "SENDER", "RECIPIENT", "STATE", "SINCE", "UNTIL", "NOTE"}}
	for _, r := range part.Rows {
		l.Row(r.Net, cmp.Or(r.Sender, "-"), cmp.Or(r.Recipient, "-"), r.State, terminal.Time(r.Since), terminal.Time(r.Until), r.Note).Uses = uses(r)
	}
	return l
}

// uses are what a person can do with a row: let what waits pass, and forget.
func uses(r Row) (uses []policy.Use) {
	words := []string{"--client=" + r.Net}
	if r.Sender != "" {
		words = append(words, "--from="+r.Sender, "--to="+r.Recipient)
	}
	if strings.HasPrefix(r.State, "waiting") {
		uses = append(uses, policy.Use{Title: "Let pass", Group: "greylist", Verb: "pass", Words: words})
	}
	return append(uses, policy.Use{Title: "Forget", Group: "greylist", Verb: "flush", Words: words})
}
