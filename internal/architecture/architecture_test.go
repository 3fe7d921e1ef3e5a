// Package architecture holds the rules of the house that the compiler does not: who may depend on whom, and what no
// file may hold. ARCHITECTURE.md gives the reasons.
package architecture

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// module is the path in front of every package of ours.
const module = "mailweir/"

// layers says what each package of ours may import of ours; "*" is everything. A package that is not listed may
// import nothing of ours, so a new one is a decision.
var layers = map[string][]string{
	"cmd/mailweir":            {"*"},
	"milter":                  {"internal/policy"},
	"checks":                  {"checks/*", "internal/policy"},
	"checks/*":                {"internal/policy", "internal/address", "internal/table", "internal/content", "internal/state", "internal/mailauth", "internal/trace", "internal/history", "internal/rate", "internal/blocklist", "internal/examination", "internal/entry", "internal/terminal", "rbl"},
	"rbl":                     {"internal/dns"},
	"internal/dns":            {},
	"internal/dns/dnstest":    {},
	"internal/policy":         {"internal/address", "internal/table", "internal/state", "internal/trace", "internal/resource", "internal/mailauth", "internal/dns", "rbl"},
	"internal/runner":         {"internal/policy", "internal/address", "internal/textfile", "internal/table", "internal/trace", "internal/resource", "internal/fact", "internal/mailauth", "internal/spool"},
	"internal/table":          {"internal/address", "internal/textfile"},
	"internal/content":        {"internal/textfile", "internal/content/*"},
	"internal/address":        {},
	"internal/state":          {},
	"internal/state/contract": {"internal/state"},
	"internal/events":         {"internal/policy", "internal/address", "internal/state", "internal/trace", "internal/dns", "rbl"},
	"internal/config":         {"internal/textfile"},
	"internal/resource":       {},
	"internal/textfile":       {},
	"internal/control":        {},
	"internal/admin":          {"internal/policy", "internal/state", "internal/terminal", "rbl"},
	"internal/terminal":       {},
	"internal/trace":          {},
	"internal/spool":          {},
	"internal/mailauth":       {"internal/address", "internal/trace"},
	"internal/fact":           {"internal/trace"},
	"test/testbed":            {"internal/*"},
	"test/wire":               {},
	"test/decisions":          {"test/*"},
	"test/dialog":             {"test/testbed"},
	"demo":                    {"*"},
	"bench":                   {"*"},

	// What several checks share.
	"internal/history":     {"internal/policy", "internal/state"},
	"internal/rate":        {"internal/policy", "internal/state"},
	"internal/blocklist":   {"internal/policy", "internal/address", "internal/table"},
	"internal/examination": {"internal/policy", "internal/content"},
	"internal/entry":       {"internal/policy", "internal/terminal"},
	"internal/policytest":  {"internal/policy", "internal/runner", "internal/state", "internal/dns", "rbl"},

	"internal/content/fold":     {},
	"internal/content/match":    {"internal/content/fold"},
	"internal/content/source":   {},
	"internal/content/transfer": {},
	"internal/content/uuencode": {},
	"internal/content/charset":  {"internal/content/fold", "internal/content/transfer"},
	"internal/content/rtf":      {"internal/content/transfer"},
	"internal/content/bcj":      {},
	"internal/content/lzma":     {},
	"internal/content/sevenzip": {"internal/content/bcj", "internal/content/lzma"},
	"internal/content/xz":       {"internal/content/bcj", "internal/content/lzma", "internal/content/source"},
	"internal/content/rar4":     {"internal/content/source"},
}

// sole names the only package, with those below it, that may import each library of the wire.
var sole = map[string]string{
	"github.com/emersion/go-milter":       "milter",
	"github.com/miekg/dns":                "internal/dns",
	"blitiri.com.ar/go/spf":               "internal/mailauth",
	"github.com/emersion/go-msgauth/dkim": "internal/mailauth",
	"log":                                 "cmd/mailweir", // to hand over what libraries write there
	"github.com/spf13/cobra":              "cmd/mailweir",
}

// forbidden are names of packages that say nothing.
var forbidden = []string{"util", "utils", "common", "helper", "helpers", "misc", "lib", "shared", "base", "types"}

type goPackage struct {
	ImportPath, Dir string
	Name            string
	Imports         []string
	GoFiles         []string
}

// ours is the path of a package of ours without the module's, and whether it is one.
func ours(importPath string) (string, bool) { return strings.CutPrefix(importPath, module) }

// packages lists every package of the module.
func packages(t *testing.T) []goPackage {
	t.Helper()
	list := exec.Command("go", "list", "-json=ImportPath,Dir,Name,Imports,GoFiles", "./...")
	list.Dir = "../.."
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []goPackage
	for in := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := in.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if len(p.GoFiles) > 0 {
			all = append(all, p)
		}
	}
	if len(all) < 5 {
		t.Fatalf("only %d packages found", len(all))
	}
	return all
}

func TestDependencies(t *testing.T) {
	for _, p := range packages(t) {
		from, _ := ours(p.ImportPath)
		for _, imported := range p.Imports {
			to, isOurs := ours(imported)
			if isOurs && !allowed(from, to) {
				t.Errorf("%s may not import %s", from, to)
			}
			if only, ok := sole[imported]; ok && only != from && !strings.HasPrefix(from, only+"/") && from != "bench" {
				t.Errorf("%s imports %s, which is for %s alone", from, imported, only)
			}
		}
	}
}

func allowed(from, to string) bool {
	if strings.HasPrefix(from, "bench/") { // what measures may look at anything
		return true
	}
	if strings.HasPrefix(from, "checks/") {
		from = "checks/*"
	}
	return slices.ContainsFunc(layers[from], func(pattern string) bool {
		matched, err := path.Match(pattern, to)
		return pattern == "*" || err == nil && matched
	})
}

func TestPackageNames(t *testing.T) {
	for _, p := range packages(t) {
		for _, word := range append(strings.Split(p.ImportPath, "/"), p.Name) {
			if slices.Contains(forbidden, word) {
				t.Errorf("%s: %s says nothing about what is inside", p.ImportPath, word)
			}
		}
	}
}

// The rules above name packages that exist, so that none outlives its subject.
func TestRulesAreCurrent(t *testing.T) {
	exists := make(map[string]bool)
	for _, p := range packages(t) {
		name, _ := ours(p.ImportPath)
		exists[name] = true
	}
	exists["checks/*"] = true
	for name := range layers {
		if !exists[name] {
			t.Errorf("there is a rule for %s, which does not exist", name)
		}
	}
}
