// Package oldmap reads a lookup table of Postfix line by line, for an import: each line with its
// place, the text from which postmap makes a database where there is one, and else the database.
package oldmap

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"mailweir/internal/importing"
	"mailweir/internal/mta/postfix"
	"mailweir/internal/table"
)

// Map is a table that has been read.
type Map struct {
	Table postfix.Table
	// Kind is a type of mailweir's in files: texthash, cidr, regexp, pcre.
	Kind    string
	Entries []Entry
	// Unread says why the map could not be read line by line, or not to its end.
	Unread string
	// Asked is a table that mailweir asks as Postfix does, TYPE:SOURCE.
	Asked string
	// Notes are sentences about the map as a whole, such as that its database is older.
	Notes []string
}

// Entry is a line of a map.
type Entry struct {
	// At is where it stands; no file is named where that is the line that names the map.
	At importing.Place
	// Raw is the line as it stands there.
	Raw        string
	Key, Value string
	// Block says that it is an if or endif of cidr, regexp and pcre.
	Block bool
	// Dead says why Postfix never finds it, "" where it does.
	Dead string
	// Odd says what octets it has that no table of mailweir may have; they are ? here. "" for none.
	Odd string
}

// String is the line as a table has it.
func (e *Entry) String() string {
	if e.Block {
		return e.Key
	}
	return e.Key + " " + e.Value
}

// compiled are the types of which postmap makes a database from a text, with its file's ending.
var compiled = [...]database{
	{"hash", ".db"}, {"btree", ".db"}, {"lmdb", ".lmdb"}, {"cdb", ".cdb"}, {"dbm", ".pag"}, {"sdbm", ".pag"}, {"texthash", ""},
}

// database is a type of table, and how the file ends that postmap makes for it.
type database struct{ kind, suffix string }

// elsewhere are tables that mailweir asks as Postfix does.
var elsewhere = [...]string{"ldap", "mysql", "pgsql", "sqlite", "socketmap", "tcp"}

// Read reads a map.
func Read(ctx context.Context, in *importing.Input, t postfix.Table) *Map {
	m := &Map{Table: t, Kind: "texthash"}
	switch {
	case slices.ContainsFunc(compiled[:], func(c database) bool { return c.kind == t.Type }):
		m.readCompiled(ctx, in)
	case t.Type == "cidr" || t.Type == "regexp" || t.Type == "pcre":
		m.Kind = t.Type
		if strings.HasPrefix(t.Name, "{") {
			m.readRules(t.Name)
			break
		}
		if data, err := in.ReadText(in.Old(t.Name)); err != nil {
			m.Unread = err.Error()
		} else {
			m.read(string(data), in.Old(t.Name))
		}
	case t.Type == "inline":
		m.readInline(t.Name)
	case t.Type == "static":
		m.readStatic(t.Name)
	case slices.Contains(elsewhere[:], t.Type) && m.inMain(in):
	case slices.Contains(elsewhere[:], t.Type):
		m.Asked = t.Type + ":" + t.Name
	default:
		m.Unread = "mailweir cannot ask tables of type " + t.Type
	}
	return m
}

// inMain finds the parameters of a table in main.cf (ldap_table(5), BACKWARDS COMPATIBILITY), or in
// the word that names it. mailweir reads them from a file alone.
func (m *Map) inMain(in *importing.Input) bool {
	kind := m.Table.Type
	file := fmt.Sprintf("write them to a file, such as /etc/postfix/%s-access.cf, name %[1]s:/etc/postfix/%[1]s-access.cf in their place, and import again", kind)
	switch {
	case kind == "tcp" || kind == "socketmap":
		return false
	case strings.HasPrefix(m.Table.Name, "{"):
		m.Unread = "its parameters stand in main.cf itself: " + file
		return true
	case strings.HasPrefix(m.Table.Name, "/") || strings.HasPrefix(m.Table.Name, "."):
		return false
	}
	m.Unread = fmt.Sprintf("its parameters are the %s_… of main.cf: %s", m.Table.Name, file)
	return true
}

// readCompiled reads the text from which postmap makes the database. Where there is none, the
// database tells.
func (m *Map) readCompiled(ctx context.Context, in *importing.Input) {
	path := in.Old(m.Table.Name)
	database := ""
	for _, c := range compiled {
		if c.kind == m.Table.Type && c.suffix != "" {
			database = path + c.suffix
		}
	}
	data, err := in.ReadText(path)
	if err == nil {
		m.read(string(data), path)
		m.remarkAge(path, database)
		return
	}
	if database == "" {
		m.Unread = err.Error()
		return
	}
	if info, statErr := os.Stat(database); statErr != nil || !info.Mode().IsRegular() {
		m.Unread = err.Error()
		return
	}
	out, runErr := in.Run(ctx, "", "postmap", "-s", m.Table.Type+":"+path)
	if runErr != nil {
		m.Unread = fmt.Sprintf("its text is not there, and its database cannot be read: %v", runErr)
		return
	}
	in.Saw(path, nil)
	m.note("%s, of which postmap made %s, is not there: what is imported was read from the database, in its order", path, database)
	n := 0
	for line := range strings.Lines(out.Stdout) {
		n++
		key, value, _ := strings.Cut(strings.TrimRight(line, "\n"), "\t")
		e := Entry{At: importing.Place{File: database, Line: n}, Raw: key + " " + value, Key: quotedKey(key), Value: value}
		m.Entries = append(m.Entries, m.checked(e))
	}
	m.finish()
}

// quotedKey is a key as a text source must have it.
func quotedKey(key string) string {
	if strings.ContainsAny(key, " \t") && !strings.Contains(key, `"`) {
		return `"` + key + `"`
	}
	return key
}

// remarkAge says where Postfix goes by something else than the text.
func (m *Map) remarkAge(path, database string) {
	if database == "" {
		return
	}
	text, err := os.Stat(path)
	if err != nil {
		return
	}
	made, err := os.Stat(database)
	switch {
	case err != nil:
		m.note("%s is not there: Postfix cannot look anything up in it until postmap makes it of %s, which was imported", database, path)
	case made.ModTime().Before(text.ModTime()):
		m.note("%s is older than %s: Postfix goes by what postmap made it of, and %[2]s was imported", database, path)
	}
}

// read takes a text apart.
func (m *Map) read(text, file string) {
	err := table.ReadLines(strings.NewReader(cleaned(text)), func(line int, text string) error {
		e := m.entry(text)
		e.At = importing.Place{File: file, Line: line}
		m.Entries = append(m.Entries, e)
		return nil
	})
	var at *table.Error
	switch {
	case errors.As(err, &at):
		m.Unread = fmt.Sprintf("line %d: %v", at.Line, at.Err)
	case err != nil:
		m.Unread = err.Error()
	}
	m.oddLines(text)
	m.finish()
}

// entry takes a line apart.
func (m *Map) entry(text string) Entry {
	part := table.Split(m.Kind, text)
	e := Entry{Raw: text, Key: part.Key, Value: part.Value, Block: part.Block}
	switch {
	case part.Block:
	case part.Key == "":
		e.Dead = "Postfix skips it: it cannot be read"
	case part.Value == "":
		e.Dead = "Postfix skips it: it has nothing on the right"
	case part.Err != nil && m.Kind != "regexp" && m.Kind != "pcre":
		e.Dead = "Postfix skips it: " + part.Err.Error()
	}
	return e
}

// oneLine keeps what stands in main.cf from beginning a line of its own.
func oneLine(text string) string {
	line := []byte(text)
	for i, c := range line {
		if c < ' ' && c != 0 {
			line[i] = ' '
		}
	}
	return string(line)
}

// readInline reads inline:{KEY=VALUE, { KEY = VALUE }}.
func (m *Map) readInline(source string) {
	inner, ok := strings.CutPrefix(oneLine(source), "{")
	inner, closed := strings.CutSuffix(inner, "}")
	if !ok || !closed {
		m.Unread = "its braces do not match"
		return
	}
	for _, word := range postfix.SplitList(inner) {
		raw := word
		word = strings.TrimSuffix(strings.TrimPrefix(word, "{"), "}")
		key, value, _ := strings.Cut(word, "=")
		m.Entries = append(m.Entries, m.checked(Entry{Raw: raw, Key: strings.TrimSpace(key), Value: strings.TrimSpace(value)}))
	}
	// Unlike in a file the last of several entries with one key counts.
	slices.Reverse(m.Entries)
	m.finish()
	slices.Reverse(m.Entries)
}

// readRules reads the rules of cidr:{ {RULE}, … } and the like (postconf(5), Postfix 3.7).
func (m *Map) readRules(source string) {
	inner, ok := strings.CutPrefix(oneLine(source), "{")
	inner, closed := strings.CutSuffix(inner, "}")
	if !ok || !closed {
		m.Unread = "its braces do not match"
		return
	}
	for _, word := range postfix.SplitList(inner) {
		rule := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(word, "{"), "}"))
		e := m.entry(rule)
		e.Raw = word
		m.Entries = append(m.Entries, m.checked(e))
	}
	m.finish()
}

// readStatic has one pattern for all keys.
func (m *Map) readStatic(source string) {
	source = oneLine(source)
	value := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(source, "{"), "}"))
	m.Kind = "pcre"
	m.Entries = []Entry{m.checked(Entry{Raw: "static:" + source, Key: "/^/", Value: strings.ReplaceAll(value, "$", "$$")})}
	m.finish()
}

// finish finds entries that another one of the same key hides.
func (m *Map) finish() {
	if m.Kind != "texthash" {
		m.unmatched()
		return
	}
	first := make(map[string]importing.Place)
	for i := range m.Entries {
		e := &m.Entries[i]
		key := strings.ToLower(e.Key)
		if e.Dead != "" {
			continue
		}
		at, double := first[key]
		if !double {
			first[key] = e.At
			continue
		}
		e.Dead = "its key is there twice, and Postfix goes by the other entry"
		if at.Line > 0 {
			e.Dead = fmt.Sprintf("its key stands in line %d already, and Postfix goes by the first", at.Line)
		}
	}
}

// unmatched finds an endif without its if.
func (m *Map) unmatched() {
	depth := 0
	for i := range m.Entries {
		e := &m.Entries[i]
		switch {
		case !e.Block:
		case !strings.EqualFold(strings.TrimSpace(e.Key), "endif"):
			depth++
		case depth == 0:
			e.Dead = "Postfix skips it: there is no if before it"
		default:
			depth--
		}
	}
}

func (m *Map) note(format string, args ...any) {
	m.Notes = append(m.Notes, fmt.Sprintf(format, args...))
}
