package postgrey

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/importing"
)

const day = 24 * time.Hour

// options are those of a postgrey that count here, first with its defaults.
type options struct {
	delay, window, keep time.Duration
	passes              int
	ipv4, ipv6          int
	byHost, privacy     bool
	inet, unix          string
	dbdir               string
	clients, recipients []string
	// set are where options of this name were given.
	set map[string]importing.Place
}

func defaults() *options {
	return &options{
		delay: 5 * time.Minute, window: 2 * day, keep: 35 * day, passes: 5, ipv4: 24, ipv6: 64,
		dbdir: defaultDatabase, set: map[string]importing.Place{},
	}
}

// kind is how an option takes its value.
type kind uint8

const (
	bare     kind = iota // none
	needs                // one
	optional             // one that need not be there
)

// known are the options of postgrey(8).
var known = map[string]kind{
	"help": bare, "h": bare, "man": bare, "version": bare, "noaction": bare, "no-action": bare, "n": bare, "verbose": bare, "v": bare, "quiet": bare, "q": bare,
	"daemonize": bare, "d": bare, "unix": needs, "u": needs, "inet": needs, "i": needs, "socketmode": needs, "user": needs, "group": needs,
	"dbdir": needs, "pidfile": needs, "delay": needs, "max-age": needs, "lookup-by-subnet": bare, "lookup-by-host": bare, "ipv4cidr": needs, "ipv6cidr": needs,
	"auto-whitelist-clients": optional, "whitelist-clients": needs, "whitelist-recipients": needs, "syslogfacility": needs, "syslog-facility": needs,
	"facility": needs, "retry-window": needs, "greylist-action": needs, "greylist-text": needs, "privacy": bare, "hostname": needs, "exim": bare,
	"listen-queue-size": needs, "x-greylist-header": needs,
}

// readOptions reads what a start script reads before it starts postgrey. Its words are parted at
// blanks, as the script does: quotes within a value mean nothing.
func (r *reading) readOptions(name string) {
	text, ok := r.text(name)
	if !ok {
		return
	}
	all := assignments(text)
	before := map[string]string{}
	for i, a := range all {
		at := importing.Place{File: name, Line: a.line}
		isSetAgain := func(b assignment) bool { return b.name == a.name && !strings.HasPrefix(b.value, a.value) }
		// What a line adds to the variable of an earlier one stands behind what that one has.
		added := strings.TrimPrefix(a.value, before[a.name])
		before[a.name] = a.value
		switch {
		case a.odd != "":
			r.Left(at, a.text, "%s", a.odd)
		case slices.ContainsFunc(all[i+1:], isSetAgain):
			r.Left(at, a.text, "a later line sets it again")
		case a.name == "POSTGREY_TEXT":
			r.said(at, a.text, a.value)
		case strings.HasPrefix(strings.TrimSpace(a.value), "-"):
			r.words(at, strings.Fields(added))
		default:
			r.Left(at, a.text, "it is about the process of postgrey")
		}
	}
}

// words takes the words of a command line, as Getopt::Long does.
func (r *reading) words(at importing.Place, words []string) {
	for i := 0; i < len(words); i++ {
		word := words[i]
		name, value, has := strings.Cut(strings.TrimLeft(word, "-"), "=")
		full, takes, err := option(name)
		if err != nil || !strings.HasPrefix(word, "-") {
			r.Left(at, word, "postgrey has no such option")
			continue
		}
		if !has && takes != bare && i+1 < len(words) && (takes == needs || !strings.HasPrefix(words[i+1], "-")) {
			i++
			value = words[i]
			word += " " + value
		}
		r.options.set[full] = at
		r.option(at, word, full, value)
	}
}

// option finds an option by its name or by a beginning that no other has.
func option(name string) (full string, takes kind, err error) {
	if takes, ok := known[name]; ok {
		return name, takes, nil
	}
	var found []string
	for full := range known {
		if name != "" && strings.HasPrefix(full, name) {
			found = append(found, full)
		}
	}
	if len(found) != 1 {
		return "", bare, errors.New("no option")
	}
	return found[0], known[found[0]], nil
}

// option takes one option over.
func (r *reading) option(at importing.Place, word, name, value string) {
	o := r.options
	switch name {
	case "delay":
		r.number(at, word, value, func(n int) { o.delay = time.Duration(n) * time.Second })
	case "max-age":
		r.number(at, word, value, func(n int) { o.keep = time.Duration(n) * day })
	case "retry-window":
		unit, digits := day, value
		if cut, hours := strings.CutSuffix(strings.ToLower(value), "h"); hours {
			unit, digits = time.Hour, cut
		}
		r.number(at, word, digits, func(n int) { o.window = time.Duration(n) * unit })
	case "auto-whitelist-clients":
		if value == "" {
			value = "5"
		}
		r.passes(at, word, value)
	case "ipv4cidr":
		r.number(at, word, value, func(n int) { o.ipv4 = n })
	case "ipv6cidr":
		r.number(at, word, value, func(n int) { o.ipv6 = n })
	case "lookup-by-host":
		o.byHost = true
		r.Changed(at, word, "nets of one address: --greylist-ipv4=32 --greylist-ipv6=128")
	case "lookup-by-subnet":
		r.Carried(at, word, "clients are known by nets here, too")
	case "privacy":
		o.privacy = true
		r.Left(at, word, "mailweir keeps addresses as they are (see privacy.md), and hashed ones of postgrey cannot be read")
	case "whitelist-clients":
		o.clients = append(o.clients, value)
		r.Carried(at, word, "is read instead of the usual lists")
	case "whitelist-recipients":
		o.recipients = append(o.recipients, value)
		r.Carried(at, word, "is read instead of the usual lists")
	case "greylist-text":
		r.said(at, word, value)
	case "greylist-action":
		r.Left(at, word, "mailweir answers 451 in mode enforce and defer, and only where nothing else refuses")
	default:
		r.unneeded(at, word, name, value)
	}
}

// unneeded are options that mailweir needs not.
func (r *reading) unneeded(at importing.Place, word, name, value string) {
	switch name {
	case "inet", "i":
		r.options.inet = value
		r.Left(at, word, "nobody asks there any more: the MTA asks mailweir as a milter")
	case "unix", "u":
		r.options.unix = value
		r.Left(at, word, "nobody asks there any more: the MTA asks mailweir as a milter")
	case "dbdir":
		r.options.dbdir = value
		r.Left(at, word, "what postgrey remembers is read there; mailweir has its own place (--state)")
	case "x-greylist-header":
		r.Left(at, word, "mailweir adds no field: \"mailweir greylist show\" and the log tell who waited")
	case "hostname":
		r.Left(at, word, "postgrey needs it for its field X-Greylist, which mailweir does not add")
	case "exim":
		r.Left(at, word, "it makes postgrey close connections for Exim, which has no milters")
	default:
		r.Left(at, word, "it is about the process of postgrey")
	}
}

// number takes a number of an option, from 1: postgrey takes its default for 0.
func (r *reading) number(at importing.Place, word, value string, set func(int)) {
	n, err := strconv.Atoi(value)
	switch {
	case err != nil || n < 0 || n > 100_000_000:
		r.Left(at, word, "postgrey would not start with it")
	case n == 0:
		r.Changed(at, word, "0 is postgrey's default for it, and so it is written")
	default:
		set(n)
		r.Carried(at, word, "stands in 40-import.conf")
	}
}

func (r *reading) passes(at importing.Place, word, value string) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		r.Left(at, word, "it is no number")
		return
	}
	r.options.passes = n
	if n == 0 {
		r.Carried(at, word, "no net is known as a whole")
		return
	}
	r.Changed(at, word, "mailweir counts for the client's net, not for its address alone")
}

// said is what postgrey says to those who wait.
func (r *reading) said(at importing.Place, shown, text string) {
	if text == "" {
		r.Left(at, shown, "it is empty")
		return
	}
	r.Left(at, shown, "mailweir says \"451 4.7.1 Internal resource temporarily unavailable\"; a text of your own goes into the file of --replies")
}

// flags writes the options that mailweir has, also where postgrey had its default: times stay what
// they were.
func (o *options) flags(r *importing.Result) {
	if len(o.set) == 0 {
		return
	}
	if o.byHost {
		o.ipv4, o.ipv6 = 32, 128
	}
	for _, f := range []struct{ name, value, option string }{
		{"greylist-delay", short(o.delay), "delay"},
		{"greylist-window", short(o.window), "retry-window"},
		{"greylist-keep", short(o.keep), "max-age"},
		{"greylist-client-passes", strconv.Itoa(o.passes), "auto-whitelist-clients"},
		{"greylist-ipv4", strconv.Itoa(o.ipv4), "ipv4cidr"},
		{"greylist-ipv6", strconv.Itoa(o.ipv6), "ipv6cidr"},
	} {
		var from []importing.Place
		if at, ok := o.set[f.option]; ok {
			from = append(from, at)
		} else if at, ok := o.set["lookup-by-host"]; ok && strings.HasPrefix(f.name, "greylist-ipv") {
			from = append(from, at)
		}
		r.Flag(f.name, f.value, from...)
	}
}

// short is a time as a person would write it: 35d, 48h, 300s.
func short(d time.Duration) string {
	switch {
	case d >= 3*day && d%day == 0:
		return fmt.Sprintf("%dd", d/day)
	case d >= time.Hour && d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}
