package dnslists

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mailweir/internal/importing"
	"mailweir/internal/mta/postfix"
	"mailweir/rbl"
)

// Source reads the DNS lists of Postfix.
func Source() importing.Source {
	return importing.Source{Name: "dnslists", Title: "DNS lists of postscreen and of smtpd's restrictions", Kind: "postfix", Read: read}
}

// list is a DNS list as Postfix asks it.
type list struct {
	kind rbl.Kind
	// zone has {NAME} in place of a key; filter is without "=", "" for none.
	zone, filter string
	weight       int
	// watched says that nothing comes of it in Postfix but a line in the log.
	watched bool
	// permits says that it keeps lists behind it from being asked; where is the restriction list in
	// which it stands; subject what a list of names is asked about in Postfix.
	permits        bool
	where, subject string
	// text is how it stands there, without keys; at where, each time.
	text string
	at   []importing.Place
	// read is the list as mailweir reads it; because is why its effect is not quite the same.
	read    *rbl.Entry
	because string
}

func (l *list) site() string {
	if l.filter == "" {
		return l.zone
	}
	return l.zone + "=" + l.filter
}

// entry is the list as mailweir's flags have it.
func (l *list) entry() string {
	if l.weight == 1 {
		return l.site()
	}
	return l.site() + "*" + strconv.Itoa(l.weight)
}

// flag is the one that names it.
func (l *list) flag() string {
	if l.kind == rbl.Domains {
		return "rhsbl-zone"
	}
	return "rbl-zone"
}

// about says what mailweir asks a list of names about.
func (l *list) about(weight int) string {
	shown := *l
	shown.weight = weight
	return fmt.Sprintf("rhsbl-zone = %s is asked about sender, header From, HELO name and the client's verified name, not about %s alone", shown.entry(), l.subject)
}

// reading is what is known while the configuration is read.
type reading struct {
	in   *importing.Input
	r    *importing.Result
	keys *keys
	// threshold is the one that sums of weights are compared with.
	threshold int
	// screened are the lists of postscreen; chain those of smtpd in the order in which it comes to
	// them; names the lists of names.
	screened, chain, names []*list
}

func read(_ context.Context, in *importing.Input) (*importing.Result, error) {
	g := &reading{in: in, r: &importing.Result{}, keys: newKeys(in)}
	g.readReplyMaps()
	g.readPostscreen()
	g.readRestrictions()
	g.apart()
	g.chain, g.names = g.once(g.chain), g.once(g.names)
	g.weigh()
	g.screened, g.chain, g.names = g.accounted(g.screened), g.accounted(g.chain), g.accounted(g.names)
	g.flags()
	g.readReplies()
	g.remark()
	slices.SortStableFunc(g.r.Items, func(a, b importing.Item) int { return compare(a.Place, b.Place) })
	return g.r, nil
}

// compare orders places as they stand in their files.
func compare(a, b importing.Place) int {
	if c := strings.Compare(a.File, b.File); c != 0 {
		return c
	}
	return a.Line - b.Line
}

// add reads a list whose zone, filter and weight are known. It reports whether Postfix need not ask
// it any more: because mailweir does, or because nobody should.
func (g *reading) add(to *[]*list, l *list) (double bool) {
	read, err := g.check(l)
	if err != nil {
		g.leave(l, err.Error())
		return rbl.Retired(l.zone)
	}
	if word, found := g.given(l.flag(), read.Zone); found {
		g.r.Carried(l.at[0], l.text, "mailweir asks it already: %s = %s", l.flag(), word)
		return true
	}
	l.read, l.zone = read, read.Zone
	*to = append(*to, l)
	return true
}

// check reads a list as mailweir would. The error is why it cannot be asked, without a key in it.
func (g *reading) check(l *list) (*rbl.Entry, error) {
	entries, err := rbl.Parse(l.kind, []string{l.entry()})
	if err != nil {
		return nil, err
	}
	if len(entries) != 1 {
		return nil, fmt.Errorf("%q is no list", rbl.HideKey(l.entry()))
	}
	return &entries[0], nil
}

// given reports whether mailweir asks a zone already, and by which value.
func (g *reading) given(flag, zone string) (value string, found bool) {
	for _, value := range g.in.Given(flag) {
		for _, word := range postfix.SplitList(value) {
			name := word[:strings.IndexAny(word+"=", "=*")]
			if strings.EqualFold(strings.TrimSuffix(name, "."), zone) {
				return word, true
			}
		}
	}
	return "", false
}

// flags are the lines of all lists, each behind those that it needs.
func (g *reading) flags() {
	g.keys.flags(g.r)
	all := slices.Concat(g.screened, g.chain, g.names)
	if g.threshold > 1 && len(all) > 0 && g.givenThreshold() == 0 {
		g.r.Flag("rbl-threshold", strconv.Itoa(g.threshold), g.thresholdAt())
	}
	for _, l := range all {
		g.r.Flag(l.flag(), l.entry(), l.at...)
	}
	for _, l := range all {
		if l.watched {
			g.r.Flag("rbl-monitor-zone", l.zone, l.at...)
		}
	}
}

func (g *reading) thresholdAt() importing.Place {
	return g.in.At(g.postscreen(), "postscreen_dnsbl_threshold")
}

// remark says what concerns more than a line.
func (g *reading) remark() {
	if g.postscreen() != nil {
		g.r.Note("postscreen's greeting pause and protocol tests stay with Postfix, as mailweir sees a client only when smtpd has it; who has very many clients may leave lists there, too")
	}
	if len(g.screened)+len(g.chain)+len(g.names) > 0 {
		g.r.Note("mail for postmaster or abuse alone passes mailweir's DNS lists and blocks of senders (always-accept); mail of trusted clients and logins passes its DNS lists, too")
	}
	var unknown []string
	for _, l := range slices.Concat(g.screened, g.chain, g.names) {
		if !l.read.Known() && !slices.Contains(unknown, l.zone) {
			unknown = append(unknown, l.zone)
		}
	}
	if len(unknown) > 0 {
		g.r.Note("mailweir does not know these lists: %s. It asks each only while it has the test entries of RFC 5782 (mailweir rbl status shows it); name one without them in rbl-untested-zone", strings.Join(unknown, ", "))
	}
}
