package view

import (
	"strconv"
	"strings"
	"time"
)

// Row is an entry of the record in a list.
type Row struct {
	// Key names the entry, Href is the page about it.
	Key, Href string
	At        time.Time
	// Word is what happened, as it stands in logs.
	Word string
	Tone Tone
	// Code is that of the reply, "" without one.
	Code  string
	Check string
	// Sender is "<>" for the null sender, "" for none.
	Sender     string
	Recipients []string
	// Count is how many recipients there are.
	Count              int
	Client, ClientName string
	// Subject is decoded, "" where it is not kept.
	Subject string
	// Why is the cause, the reply or the error.
	Why string
	// Fold is set for a sum of several.
	Fold *Fold
}

// Fold is what decisions that share an id have together.
type Fold struct {
	Times                    int
	Last                     time.Time
	Clients, Senders         []string
	ClientCount, SenderCount int
	Recipients               []string
	RecipientCount           int
}

// Shown bounds of a row of a list: the page about it has all.
const (
	shownAddress = 80
	shownWhy     = 160
	shownFold    = 20
)

// first are the recipients in one line.
func (r Row) first() string {
	if len(r.Recipients) == 0 {
		return ""
	}
	return r.Recipients[0]
}

// others says how many more recipients there are.
func (r Row) others() string {
	if n := max(r.Count, len(r.Recipients)) - 1; n > 0 {
		return "+" + strconv.Itoa(n)
	}
	return ""
}

// times says how many decisions the row is about.
func (r Row) times() string {
	if r.Fold == nil {
		return ""
	}
	return "×" + strconv.Itoa(r.Fold.Times)
}

// client is its address with its name.
func (r Row) client() string {
	if r.ClientName == "" || r.ClientName == r.Client {
		return r.Client
	}
	return strings.TrimSpace(r.Client + " " + r.ClientName)
}

// Live is a row as the script is sent it: texts alone, in which everything is seen.
type Live struct {
	Key     string `json:"key"`
	Href    string `json:"href"`
	At      string `json:"at"`
	Time    string `json:"time"`
	Word    string `json:"word"`
	Tone    Tone   `json:"tone"`
	Code    string `json:"code"`
	Times   string `json:"times"`
	Check   string `json:"check"`
	Sender  string `json:"sender"`
	To      string `json:"to"`
	Others  string `json:"others"`
	Client  string `json:"client"`
	Subject string `json:"subject"`
	Why     string `json:"why"`
}

// Live makes what the script is sent of a row.
func (r Row) Live() Live {
	text := func(s string, n int) string { return Visible(Shorten(s, n)) }
	return Live{
		Key: r.Key, Href: r.Href, At: machine(r.At), Time: people(r.At), Word: r.Word, Tone: r.Tone, Code: r.Code, Times: r.times(), Check: Visible(r.Check),
		Sender: text(r.Sender, shownAddress), To: text(r.first(), shownAddress), Others: r.others(),
		Client: text(r.client(), shownAddress), Subject: text(r.Subject, shownWhy), Why: text(r.Why, shownWhy),
	}
}
