package attach

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"mailweir/internal/mta/postfix"
	"mailweir/internal/textfile"
)

// localDomainsTable is the file of the domains that stand in the mail server's own lists and text
// files.
const localDomainsTable = "local-domains"

// domains are those that a mail server takes mail for.
type domains struct {
	// names are domains, with a point in front for sub-domains, and where each comes from.
	names map[string]string
	// tables are those that are asked instead of being read.
	tables []string
	// unread says what could not be read, so that the list has holes; all, that any domain is
	// local.
	unread, all string
	proposal    *Proposal
}

// textTypes are tables whose text source can be read.
var textTypes = []string{"hash", "lmdb", "btree", "cdb", "dbm", "sdbm", "texthash"}

// askedTypes are tables that mailweir can ask as Postfix does.
var askedTypes = []string{"regexp", "pcre", "inline", "ldap", "mysql", "pgsql", "sqlite", "socketmap", "tcp"}

// add takes in the value of a parameter. With parents, a domain stands for its sub-domains, too.
func (d *domains) add(parameter, value string, parents bool) {
	d.addWithin(parameter, value, parents, 0)
}

// deepestFile bounds files that name files.
const deepestFile = 5

func (d *domains) addWithin(parameter, value string, parents bool, depth int) {
	for _, t := range postfix.ParseTables(value) {
		switch {
		case strings.HasPrefix(t.Text, "!"):
			d.unread = fmt.Sprintf("%s has an exception, %s", parameter, t.Text)
		case t.Type == "" && strings.HasPrefix(t.Name, "/"):
			text, err := textfile.ReadText(t.Name)
			if err != nil || depth == deepestFile {
				d.unread = fmt.Sprintf("%s: %s cannot be read: %v", parameter, t.Name, err)
				continue
			}
			d.addWithin(parameter+", "+t.Name, withoutComments(string(text)), parents, depth+1)
		case t.Type == "":
			d.name(t.Name, parameter, parents)
		case t.Type == "static":
			d.all = parameter + " = " + t.Text
		case slices.Contains(textTypes, t.Type):
			d.readTable(parameter, t, parents)
		case slices.Contains(askedTypes, t.Type):
			d.table(parameter, t, parents)
		default:
			d.unread = fmt.Sprintf("%s: mailweir cannot ask %s", parameter, t.Text)
		}
	}
}

func (d *domains) name(name, from string, parents bool) {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	switch {
	case strings.HasPrefix(name, "["):
		return // an address in brackets, as in user@[192.0.2.1]
	case strings.Trim(name, ".") == "" || len(name) > 253 || strings.ContainsFunc(name, noDomain):
		d.proposal.remark("%s names %q, which is no domain, and is left out", from, name)
		return
	}
	for _, n := range []string{name, "." + name} {
		if _, known := d.names[n]; !known && (n == name || parents && !strings.HasPrefix(name, ".")) {
			d.names[n] = from
		}
	}
}

// noDomain reports a character that no domain has. Letters beyond ASCII are those of IDNs.
func noDomain(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r) || r > 0x7f && unicode.IsLetter(r))
}

// readTable takes the domains out of a text table: in lists of addresses, too, a key without @ is
// one.
func (d *domains) readTable(parameter string, t postfix.Table, parents bool) {
	text, err := textfile.ReadText(t.Name)
	if err != nil {
		d.unread = fmt.Sprintf("%s: the text of %s cannot be read: %v", parameter, t.Text, err)
		return
	}
	for _, key := range tableKeys(string(text)) {
		if !strings.Contains(key, "@") && strings.Contains(strings.Trim(key, "."), ".") {
			d.name(key, parameter+", "+t.Name, parents)
		}
	}
}

func (d *domains) table(parameter string, t postfix.Table, parents bool) {
	spec := t.Type + ":" + t.Name
	if parents && t.Type != "regexp" && t.Type != "pcre" {
		d.proposal.remark("%s: Postfix takes mail for the sub-domains of what %s names, too; for mailweir they are local only where the table names them, as .example.org", parameter, spec)
	}
	if !slices.Contains(d.tables, spec) {
		d.tables = append(d.tables, spec)
	}
}

// propose writes the file and the lines.
func (d *domains) propose() {
	p := d.proposal
	const why = "domains that the mail server takes mail for"
	off := ""
	switch {
	case d.all != "":
		off = d.all + " makes every domain local, so nobody could be told from a relay"
	case d.unread != "":
		off = d.unread + "; a domain that is missing here would be taken for relaying"
	case len(d.names) == 0 && len(d.tables) == 0:
		p.remark("the mail server names no domain of its own, so local-domains is not set, and open-relay, lockout and auto-allow stay off")
		return
	}
	if off != "" {
		p.remark("local-domains is only proposed: %s", off)
	}
	if len(d.names) > 0 {
		p.Tables = append(p.Tables, Table{localDomainsTable, d.text()})
		p.Lines = append(p.Lines, Line{Flag: "local-domains", Value: "list:" + tableMark + localDomainsTable, Why: why, Off: off})
	}
	for _, t := range d.tables {
		p.Lines = append(p.Lines, Line{Flag: "local-domains", Value: t, Why: why + ", asked as Postfix asks", Off: off})
	}
}

// text is the file, sorted by where each comes from.
func (d *domains) text() string {
	by := make(map[string][]string)
	for name, from := range d.names {
		by[from] = append(by[from], name)
	}
	var b strings.Builder
	b.WriteString("# Domains that the mail server takes mail for, as mailweir init found them; run it again after a change there.\n" +
		"# .example.org stands for all sub-domains of example.org.\n")
	for _, from := range slices.Sorted(maps.Keys(by)) {
		fmt.Fprintf(&b, "\n# %s\n", oneLine(from))
		slices.Sort(by[from])
		for _, name := range by[from] {
			fmt.Fprintln(&b, name)
		}
	}
	return b.String()
}

// withoutComments drops comments from a file of entries.
func withoutComments(text string) string {
	var kept []string
	for line := range strings.Lines(text) {
		if trimmed := strings.TrimSpace(line); trimmed != "" && trimmed[0] != '#' {
			kept = append(kept, trimmed)
		}
	}
	return strings.Join(kept, "\n")
}

// tableKeys are the keys of a text table (postmap(1)): the first word of each line, which may be
// quoted; lines that begin with a blank belong to the one before.
func tableKeys(text string) (keys []string) {
	for line := range strings.Lines(text) {
		if line[0] == '#' || line[0] == ' ' || line[0] == '\t' || strings.TrimSpace(line) == "" {
			continue
		}
		if rest, quoted := strings.CutPrefix(line, `"`); quoted {
			key, _, _ := strings.Cut(rest, `"`)
			keys = append(keys, key)
			continue
		}
		keys = append(keys, strings.Fields(line)[0])
	}
	return keys
}
