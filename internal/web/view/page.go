package view

import "time"

// Page is what stands around the main part of a page.
type Page struct {
	// Title is a name of ours for the page, never the text of a client.
	Title string
	// Nav are the pages that the visitor may open; Current is the Href of the one that this belongs
	// to.
	Nav     []Link
	Current string
	// Name and Role tell the visitor who he is; both are "" before a login.
	Name, Role string
	// CanLogOut says that the login was made here, not by a proxy or a socket.
	CanLogOut bool
	// Search shows the search box, with Sought in it.
	Search bool
	Sought string
	// Host is the host of mailweir.
	Host string
}

// Link is a link of ours, with a path of this console.
type Link struct{ Href, Text string }

// Tone is how something is coloured. It never says anything that is not in words beside it.
type Tone string

// The tones.
const (
	Plain Tone = "plain"
	Good  Tone = "good"
	Warn  Tone = "warn"
	Bad   Tone = "bad"
	Would Tone = "would"
)

// Option is one choice of a [Select]: its value, and what people read.
type Option struct{ Value, Text string }

// Options makes options whose values are what people read.
func Options(values ...string) []Option {
	list := make([]Option, len(values))
	for i, v := range values {
		list[i] = Option{v, v}
	}
	return list
}

// machine and people are the two ways in which a time is written: in UTC, as in the log.
func machine(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func people(t time.Time) string { return t.UTC().Format(time.DateTime) + "Z" }

// titleOf is the title of a column, "" beyond the last.
func titleOf(titles []string, i int) string {
	if i < len(titles) {
		return titles[i]
	}
	return ""
}
