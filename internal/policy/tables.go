package policy

import (
	"strings"

	"mailweir/internal/table"
)

// Tables is a repeatable flag whose values are Postfix lookup tables, asked in order, and what they
// are for.
type Tables struct {
	flag  string
	use   table.Use
	specs []string
}

// Tables registers a repeatable flag whose values are Postfix lookup tables. The use says what its
// tables are asked for and what a key alone means; the help shows both behind the usage.
func (f *Flags) Tables(noun, usage string, use table.Use) *Tables {
	t := &Tables{flag: f.prefix + noun, use: use}
	f.set.VarP(&list{values: &t.specs, kind: "TABLE"}, t.flag, "", usage+" ("+use.String()+")")
	*f.tables = append(*f.tables, t)
	return t
}

// Shared tells a loader what all tables of these flags are for, before one of them is opened.
func (f *Flags) Shared(loader *table.Loader) {
	for _, t := range *f.tables {
		loader.Share(t.use, t.specs...)
	}
}

// Given reports whether the flag names a table.
func (t *Tables) Given() bool { return len(t.specs) > 0 }

// Open opens the tables. Their keys match sub-domains. Without tables the list is nil, which is
// empty.
func (t *Tables) Open(env *Env) (*table.List, error) {
	return env.OpenTables(t.flag, t.use, t.specs...)
}

// OpenTables opens tables that a flag names in another way than [Tables]; see [Tables.Open].
func (e *Env) OpenTables(flag string, use table.Use, specs ...string) (*table.List, error) {
	return openTables(e.common.Tables, flag, table.ListOptions{Use: use, Subdomains: true, Delimiters: e.Settings.Delimiter}, specs)
}

func openTables(tables *table.Loader, flag string, options table.ListOptions, specs []string) (*table.List, error) {
	list, err := tables.List(options, specs...)
	if err != nil {
		return nil, table.Of(flag, err)
	}
	for i, what := range list.Wide() {
		if i == mostWide {
			tables.Warn("--" + flag + ": more such entries follow")
			break
		}
		tables.Warn("--" + flag + ": " + what)
	}
	if list.RefusesNobody() {
		tables.Remark("--" + flag + ": " + strings.Join(list.Tables(), " ") + " refuses nobody: every entry is OK or DUNNO")
	}
	return list, nil
}

// mostWide is how many entries of one flag are told that let too much pass.
const mostWide = 5
