package dnslists

import (
	"regexp"
	"strconv"
	"strings"

	"mailweir/internal/importing"
	"mailweir/internal/mta/postfix"
	"mailweir/rbl"
)

// readReplyMaps reads postscreen_dnsbl_reply_map, which says what is shown of zones with a key.
func (g *reading) readReplyMaps() {
	const name = "postscreen_dnsbl_reply_map"
	for _, t := range postfix.ParseTables(g.in.Postfix.Value(g.postscreen(), name)) {
		g.r.Carried(g.in.At(g.postscreen(), name, t.Text), name+" "+t.Text, "mailweir shows no key")
		path := g.in.Old(t.Name)
		switch t.Type {
		case "texthash", "hash", "btree", "lmdb", "cdb", "dbm", "regexp", "pcre":
		default:
			continue
		}
		text, err := g.in.ReadText(path)
		if err != nil {
			g.r.Left(importing.Place{File: path}, "", "%v", err)
			continue
		}
		for _, e := range tableEntries(string(text)) {
			g.readShown(importing.Place{File: path, Line: e.line}, e)
		}
	}
}

// readShown reads what is shown of a zone. The zone, which may have a key, is not shown.
func (g *reading) readShown(at importing.Place, e tableEntry) {
	g.keys.hide(e.key, e.value)
	_, _, keyed := rbl.CutKey(e.key)
	_, _, hidden := g.keys.secret(e.key)
	if keyed || hidden || strings.HasPrefix(e.key, "/") || strings.HasPrefix(e.key, "!") {
		g.r.Carried(at, "… "+e.value, "mailweir shows {NAME} in place of a key, and the zone without it in replies")
		return
	}
	g.r.Left(at, "… "+e.value, "a reply of mailweir names the list itself")
}

type tableEntry struct {
	key, value string
	line       int
}

// tableEntries reads the text of a table as postmap(1) does: a line that begins with a blank
// belongs to the one before.
func tableEntries(text string) (entries []tableEntry) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || trimmed[0] == '#':
		case (line[0] == ' ' || line[0] == '\t') && len(entries) > 0:
			entries[len(entries)-1].value += " " + trimmed
		default:
			key, value, _ := strings.Cut(trimmed, " ")
			if i := strings.IndexAny(trimmed, " \t"); i >= 0 {
				key, value = trimmed[:i], strings.TrimSpace(trimmed[i:])
			}
			entries = append(entries, tableEntry{key, value, number})
		}
	}
	return entries
}

// readReplies accounts for the words of smtpd's replies about lists, where somebody has chosen
// them.
func (g *reading) readReplies() {
	p := g.in.Postfix
	lists := len(g.screened)+len(g.chain)+len(g.names) > 0
	code, setCode := p.Set["maps_rbl_reject_code"]
	template, setText := p.Set["default_rbl_reply"]
	line, why := reply(code, template)
	var from []importing.Place
	for _, s := range []struct {
		name string
		set  bool
	}{{"maps_rbl_reject_code", setCode}, {"default_rbl_reply", setText}} {
		if !s.set {
			continue
		}
		at, text := g.in.At(nil, s.name), s.name+" = "+p.Set[s.name]
		switch {
		case !lists:
			g.r.Left(at, text, "no list is carried over")
		case why != "":
			g.r.Left(at, text, "%s", why)
		default:
			g.r.Changed(at, text, "is written as %q in the file of --replies", line)
			from = append(from, at)
		}
	}
	if len(from) > 0 {
		const file = "dnslists-replies"
		g.r.Files = append(g.r.Files, importing.File{Name: file, Text: line + "\n"})
		g.r.Flag("replies", g.in.In(file), from...)
	}
	for _, t := range postfix.ParseTables(p.Parameters["rbl_reply_maps"]) {
		g.r.Left(g.in.At(nil, "rbl_reply_maps", t.Text), "rbl_reply_maps "+t.Text, "mailweir has one text for all lists; a file of --replies changes it")
	}
}

// declared is the text of mailweir's own reply.
const declared = "{zone} Blocked - see {reason}"

var (
	conditional = regexp.MustCompile(`\$\{(rbl_reason|rbl_txt)\?\{?([^{}]*)\}?\}`)
	variable    = regexp.MustCompile(`\$(?:\{(\w+)\}|\((\w+)\)|(\w+))`)
	front       = regexp.MustCompile(`^\s*(?:\$(?:rbl_code|\{rbl_code\}|\(rbl_code\))|[45]\d\d)\s+(?:([45]\.\d{1,3}\.\d{1,3})\s+)?`)
)

// reply is a line of the file of --replies that has the code and the words of Postfix; why says why
// there is none.
func reply(code, template string) (line, why string) {
	enhanced, text := "", declared
	if code == "" {
		code = "554"
	}
	if n, err := strconv.Atoi(code); err != nil || n < 500 || n > 599 {
		return "", "mailweir's reply is a refusal; one for a while is rbl = defer, with 451"
	}
	if template != "" {
		m := front.FindStringSubmatch(template)
		if m == nil {
			return "", "it does not begin with $rbl_code; write such a text into a file of --replies"
		}
		enhanced = m[1]
		text = conditional.ReplaceAllString(template[len(m[0]):], "$2")
		unknown := ""
		text = variable.ReplaceAllStringFunc(text, func(v string) string {
			switch name := strings.Trim(v, "${}()"); name {
			case "rbl_domain":
				return "{zone}"
			case "rbl_reason", "rbl_txt":
				return "{reason}"
			default:
				unknown = v
				return v
			}
		})
		switch {
		case unknown != "":
			return "", "mailweir's replies know the list ({zone}) and its text ({reason}), and no " + unknown + "; write such a text into a file of --replies"
		case strings.ContainsAny(strings.NewReplacer("{zone}", "", "{reason}", "").Replace(text), "{}$"):
			return "", "its braces cannot be read; write such a text into a file of --replies"
		}
	}
	if enhanced == "" {
		enhanced = "5.7.1"
	}
	return strings.Join(strings.Fields("rbl "+code+" "+enhanced+" "+text), " "), ""
}
