package expand

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/table"
	"mailweir/internal/textfile"
)

// recheck is how long a list of domains is used before its files are looked at again.
const recheck = 10 * time.Second

// Domains is the parameter "domain" of a table: names, files with names, and other tables. A nil
// *Domains is that of a table without the parameter, which has any key. It is safe for use by many
// at once.
type Domains struct {
	text string

	mu      sync.Mutex
	list    []domain
	loader  *table.Loader
	checked time.Time
}

// domain is one item: a name, or a table of names.
type domain struct {
	name  string
	table *table.Table
	not   bool
}

// OpenDomains reads the parameter. Files and tables are read again when they change; what cannot be
// read then stays as it was.
func OpenDomains(text string) (*Domains, error) {
	if strings.Trim(text, separators) == "" {
		return nil, nil
	}
	d := &Domains{text: text}
	return d, d.Reload()
}

// Reload reads the files and tables again if they have changed. What cannot be read leaves the list
// as it is.
func (d *Domains) Reload() error {
	if d == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.reload()
}

func (d *Domains) reload() error {
	d.checked = time.Now()
	loader := table.NewLoader(d.loader)
	list, err := parseDomains(loader, d.text, false, 0)
	if err != nil {
		return err
	}
	loader.Done()
	d.list, d.loader = list, loader
	return nil
}

// Match reports whether the table is to be asked for a key: an address with a local part whose very
// domain is in the list.
func (d *Domains) Match(ctx context.Context, key string) (bool, error) {
	if d == nil {
		return true, nil
	}
	at := strings.LastIndexByte(key, '@')
	if at <= 0 {
		return false, nil
	}
	name := address.Fold(key[at+1:])
	for _, item := range d.current() {
		found := item.name == name
		if item.table != nil {
			m, err := item.table.Lookup(ctx, name)
			if err != nil {
				return false, err
			}
			found = m.Found()
		}
		if found {
			return !item.not, nil
		}
	}
	return false, nil
}

func (d *Domains) current() []domain {
	d.mu.Lock()
	defer d.mu.Unlock()
	if time.Since(d.checked) > recheck {
		_ = d.reload() // whoever inspects the table is told
	}
	return d.list
}

const separators = ", \t\r\n"

// parseDomains reads a list as match_list.c does: "!" in front says no, /FILE stands for what is in
// it, TYPE:SOURCE is a table, anything else a name.
func parseDomains(loader *table.Loader, text string, not bool, depth int) ([]domain, error) {
	var list []domain
	for _, item := range splitItems(text) {
		name := strings.TrimLeft(item, "!")
		itemNot := not != ((len(item)-len(name))%2 == 1)
		switch {
		case name == "":
			return nil, errors.New(`nothing stands behind "!"`)
		case name[0] == '/':
			more, err := readDomains(loader, name, itemNot, depth)
			if err != nil {
				return nil, err
			}
			list = append(list, more...)
		case name[0] != '[' && strings.Contains(name, ":"):
			t, err := loader.Open(name)
			if err != nil {
				return nil, err
			}
			list = append(list, domain{table: t, not: itemNot})
		default:
			list = append(list, domain{name: address.Fold(name), not: itemNot})
		}
	}
	return list, nil
}

// readDomains reads the items of a file, whose lines beginning with "#" are comments.
func readDomains(loader *table.Loader, path string, not bool, depth int) ([]domain, error) {
	const deepest = 20
	if depth == deepest {
		return nil, fmt.Errorf("%s: the files name each other more than %d deep", path, deepest)
	}
	text, err := textfile.ReadText(path)
	if err != nil {
		return nil, err
	}
	var list []domain
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(strings.TrimLeft(line, " \t"), "#") {
			continue
		}
		more, err := parseDomains(loader, line, not, depth+1)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		list = append(list, more...)
	}
	return list, nil
}

// splitItems splits at commas and white space outside braces, so that inline:{a=b, c=d} is one.
func splitItems(text string) []string {
	var items []string
	depth, start := 0, -1
	for i := 0; i <= len(text); i++ {
		if i == len(text) || depth == 0 && strings.IndexByte(separators, text[i]) >= 0 {
			if start >= 0 {
				items = append(items, text[start:i])
			}
			start = -1
			continue
		}
		if start < 0 {
			start = i
		}
		switch text[i] {
		case '{':
			depth++
		case '}':
			depth--
		}
	}
	return items
}
