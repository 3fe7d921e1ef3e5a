// Package architecture holds the rules of the house that the compiler does not: who may depend on
// whom, and what no file may hold. ARCHITECTURE.md gives the reasons.
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

// layers says what each package of ours may import of ours; A package that is not listed may import
// nothing of ours, so a new one is a decision.
var layers = map[string][]string{
	"milter":                       {"internal/policy"},
	"checks":                       {"checks/*", "internal/policy"},
	"checks/*":                     {"internal/policy", "internal/address", "internal/table", "internal/content", "internal/state", "internal/mailauth", "internal/trace", "internal/history", "internal/rate", "internal/blocklist", "internal/byhand", "internal/examination", "internal/entry", "internal/terminal", "internal/recipients", "internal/confusable", "internal/clamd", "internal/rspamd", "internal/spamd", "internal/spamscan", "rbl"},
	"rbl":                          {"internal/dns"},
	"internal/dns":                 {},
	"internal/dns/dnstest":         {},
	"internal/policy":              {"internal/address", "internal/table", "internal/state", "internal/trace", "internal/resource", "internal/mailauth", "internal/backend", "internal/dns", "internal/terminal", "rbl"},
	"internal/runner":              {"internal/byhand", "internal/policy", "internal/address", "internal/textfile", "internal/table", "internal/trace", "internal/resource", "internal/fact", "internal/mailauth", "internal/spool"},
	"internal/table":               {"internal/address", "internal/textfile", "internal/trace"},
	"internal/content":             {"internal/textfile", "internal/content/*", "internal/charset", "internal/encodedword", "internal/transfer"},
	"internal/address":             {"internal/encodedword"},
	"internal/charset":             {},
	"internal/encodedword":         {"internal/charset", "internal/transfer"},
	"internal/transfer":            {},
	"internal/backend":             {},
	"internal/confusable":          {},
	"internal/logline":             {},
	"internal/metric":              {},
	"internal/metric/declarations": {"internal/metric", "internal/events", "internal/record", "internal/record/would", "internal/auth"},
	"internal/state":               {"internal/backend", "internal/trace"},
	"internal/state/contract":      {"internal/state"},
	"internal/events":              {"internal/metric", "internal/policy", "internal/address", "internal/backend", "internal/state", "internal/trace", "internal/dns", "rbl"},
	"internal/connections":         {},
	"internal/handover":            {},
	"internal/listener":            {},
	"internal/systemd":             {},
	"internal/config":              {"internal/textfile"},
	"internal/resource":            {},
	"internal/textfile":            {},
	"internal/admin":               {"internal/address", "internal/policy", "internal/state", "internal/terminal", "rbl"},
	"internal/passwords":           {"internal/textfile"},
	"internal/auth":                {"internal/metric", "internal/policy", "internal/history", "internal/passwords", "internal/backend"},
	"internal/logins":              {"internal/policy", "internal/backend"},
	"internal/terminal":            {},
	"internal/moment":              {"internal/policy"},
	"internal/trace":               {},
	"internal/spool":               {},
	"internal/callforward":         {"internal/address", "internal/backend", "internal/dovecot", "internal/state", "internal/trace"},
	"internal/dovecot":             {"internal/backend"},
	"internal/recipients":          {"internal/address", "internal/state", "internal/trace"},
	"internal/mailauth":            {"internal/address", "internal/trace"},
	"internal/fact":                {"internal/trace"},

	// How mail servers are set up.
	"internal/attach":       {"internal/mta", "internal/mta/postfix", "internal/mta/sendmail", "internal/textfile"},
	"internal/importing":    {"internal/mta", "internal/mta/postfix", "internal/textfile", "internal/config"},
	"internal/importing/*":  {"internal/importing", "internal/oldmap", "internal/mta", "internal/mta/postfix", "internal/textfile", "internal/table", "internal/address", "internal/content", "internal/content/match", "internal/confusable", "internal/encodedword", "internal/state", "rbl"},
	"internal/oldmap":       {"internal/importing", "internal/mta/postfix", "internal/table"},
	"internal/mta":          {},
	"internal/mta/postfix":  {"internal/mta", "internal/textfile"},
	"internal/mta/sendmail": {"internal/mta", "internal/textfile"},

	// What is wrong between them, mailweir and the host.
	"internal/doctor": {"internal/mta", "internal/mta/postfix", "internal/mta/sendmail", "internal/clamd", "internal/rspamd", "internal/spamd", "internal/spamscan", "rbl"},

	// The record of decisions, its stores, and what people read in it.
	"internal/record":          {"internal/metric", "internal/policy", "internal/admin", "internal/address", "internal/encodedword", "internal/terminal", "internal/trace"},
	"internal/record/contract": {"internal/record", "internal/policy", "internal/mailauth", "internal/trace"},
	"internal/record/files":    {"internal/record", "internal/record/row", "internal/policy", "internal/address"},
	"internal/record/postgres": {"internal/record", "internal/record/row", "internal/policy", "internal/address", "internal/backend"},
	"internal/record/row":      {"internal/record", "internal/policy", "internal/address", "internal/encodedword", "internal/trace"},
	"internal/record/attempts": {"internal/record", "internal/policy", "internal/address"},
	"internal/record/why":      {"internal/record", "internal/record/attempts", "internal/policy", "internal/address", "internal/terminal", "internal/trace"},
	"internal/record/would":    {"internal/metric", "internal/record", "internal/record/attempts", "internal/policy", "internal/address", "internal/mailauth", "internal/terminal"},
	"internal/record/report":   {"internal/record", "internal/policy", "internal/address", "internal/terminal"},
	"internal/explain":         {"internal/policy", "internal/runner", "internal/terminal"},
	"internal/replay":          {"internal/record", "internal/policy", "internal/runner", "internal/state", "internal/resource", "internal/table", "internal/address", "internal/trace", "internal/dns", "internal/mailauth", "internal/terminal", "rbl"},
	"internal/web":             {"internal/moment", "internal/admin", "internal/events", "internal/explain", "internal/policy", "internal/address", "internal/passwords", "internal/record", "internal/record/attempts", "internal/record/report", "internal/record/why", "internal/record/would", "internal/table", "internal/terminal", "internal/web/*", "internal/encodedword", "rbl"},
	"internal/web/door":        {"internal/admin", "internal/connections", "internal/passwords", "internal/policy"},
	"internal/web/view":        {"internal/explain", "internal/policy", "internal/record", "internal/record/attempts", "internal/record/why", "internal/record/would", "internal/terminal", "rbl", "internal/encodedword", "internal/trace"},

	// Spam scanners.
	"internal/spamscan": {"internal/backend", "internal/trace"},
	"internal/rspamd":   {"internal/backend", "internal/spamscan"},
	"internal/spamd":    {"internal/backend", "internal/spamscan"},

	"internal/spamscan/spamscantest": {},

	// Virus scanners.
	"internal/clamd":           {"internal/backend"},
	"internal/clamd/clamdtest": {},

	// What several checks share.
	"internal/history":     {"internal/policy", "internal/state"},
	"internal/rate":        {"internal/policy", "internal/state"},
	"internal/byhand":      {"internal/address", "internal/entry", "internal/policy", "internal/state", "internal/terminal", "internal/trace"},
	"internal/blocklist":   {"internal/policy", "internal/address", "internal/table", "internal/mailauth", "internal/trace"},
	"internal/examination": {"internal/policy", "internal/content"},
	"internal/entry":       {"internal/policy", "internal/terminal"},
	"internal/policytest":  {"internal/policy", "internal/runner", "internal/state", "internal/dns", "internal/dns/dnstest", "rbl"},

	"internal/table/expand":     {"internal/address", "internal/table", "internal/textfile"},
	"internal/table/ldap":       {"internal/backend", "internal/table/expand", "internal/table/postfixcf", "internal/table/remote"},
	"internal/table/postfixcf":  {"internal/table", "internal/textfile"},
	"internal/table/remote":     {"internal/backend", "internal/resource", "internal/table", "internal/table/postfixcf"},
	"internal/table/served":     {"internal/backend", "internal/table/remote"},
	"internal/table/sql":        {"internal/backend", "internal/table/expand", "internal/table/postfixcf", "internal/table/remote"},
	"internal/table/tabletest":  {"internal/table"},
	"internal/content/param":    {"internal/charset", "internal/transfer"},
	"internal/content/fold":     {"internal/charset"},
	"internal/content/css":      {},
	"internal/content/htmltext": {"internal/content/css"},
	"internal/content/match":    {"internal/content/fold"},
	"internal/content/source":   {},
	"internal/content/uuencode": {},
	"internal/content/rtf":      {"internal/transfer", "internal/charset"},
	"internal/content/bcj":      {},
	"internal/content/lzma":     {},
	"internal/content/sevenzip": {"internal/content/bcj", "internal/content/lzma"},
	"internal/content/xz":       {"internal/content/bcj", "internal/content/lzma", "internal/content/source"},
	"internal/content/rar4":     {"internal/content/source"},
}

// inTests says what the tests of a package may import of ours besides what the package may.
var inTests = map[string][]string{
	"checks":                {"internal/events", "internal/policytest", "internal/runner", "internal/history", "internal/state", "internal/table", "internal/table/tabletest", "internal/resource", "test/testbed"},
	"checks/*":              {"internal/policytest", "internal/clamd/clamdtest", "internal/resource", "internal/spamscan/spamscantest", "internal/table/tabletest"},
	"milter":                {"internal/runner", "test/testbed"},
	"rbl":                   {"internal/dns/dnstest", "test/testbed"},
	"internal/architecture": {"checks"},
	"internal/auth":         {"test/testbed"},
	"internal/blocklist":    {"internal/policytest"},
	"internal/callforward":  {"test/testbed"},
	"internal/dovecot":      {"test/testbed"},
	"internal/config":       {"internal/policy"},
	"internal/content":      {"test/browser", "test/testbed"},
	"internal/dns":          {"internal/dns/dnstest"},
	"internal/encodedword":  {"test/testbed"},
	"internal/entry":        {"internal/policytest"},
	"internal/events":       {"internal/logline", "internal/mailauth"},
	"internal/examination":  {"internal/policytest"},
	"internal/handover":     {"internal/listener"},
	"internal/history":      {"internal/policytest"},
	"internal/mailauth":     {"internal/dns", "internal/dns/dnstest", "internal/mailauth/dkimtest"},
	"internal/attach":       {"test/testbed"},
	"internal/importing":    {"test/testbed"},
	"internal/oldmap":       {"internal/mta", "test/testbed"},
	"internal/importing/*":  {"test/testbed", "internal/table/tabletest", "internal/dns", "internal/dns/dnstest", "internal/policytest", "internal/resource"},
	"internal/mta":          {"test/testbed"},
	"internal/doctor":       {"internal/clamd/clamdtest", "test/testbed"},
	"internal/mta/postfix":  {"test/testbed"},
	"internal/mta/sendmail": {"test/testbed"},
	"internal/passwords":    {"test/testbed"},
	"internal/rate":         {"internal/policytest"},
	"internal/recipients":   {"test/testbed"},
	"internal/record":       {"internal/record/files"},
	"internal/web":          {"checks", "internal/byhand", "internal/mailauth", "internal/trace", "internal/policytest", "internal/record/files", "internal/runner", "internal/state", "test/testbed"},
	"internal/runner":       {"internal/entry", "internal/state", "internal/dns", "internal/dns/dnstest", "internal/table/tabletest"},
	"internal/rspamd":       {"test/testbed"},
	"internal/spamd":        {"test/testbed"},
	"internal/state":        {"internal/state/contract", "test/testbed"},
	"internal/table":        {"internal/table/tabletest", "test/testbed"},

	"internal/clamd": {"internal/clamd/clamdtest", "test/testbed"},

	"internal/content/htmltext": {"test/browser"},
	"internal/record/attempts":  {"internal/record/files"},
	"internal/record/files":     {"internal/record/contract", "internal/trace"},
	"internal/record/postgres":  {"internal/record/contract", "test/testbed"},
	"internal/record/report":    {"internal/record/files"},
	"internal/record/why":       {"internal/record/files"},
	"internal/record/would":     {"internal/record/files", "internal/trace"},
	"internal/replay":           {"checks", "internal/record/files", "internal/policytest"},
	"internal/web/door":         {"internal/auth", "internal/backend", "test/testbed"},
	"internal/table/ldap":       {"internal/backend", "internal/address", "test/testbed"},
	"internal/table/postfixcf":  {"test/testbed"},
	"internal/table/remote":     {"internal/address"},
	"internal/table/served":     {"internal/backend", "test/testbed"},
	"internal/table/sql":        {"internal/backend", "test/testbed"},
}

// outside are the folders that look at the whole from without: they may import anything.
var outside = []string{"cmd", "bench", "demo", "test", "contrib"}

// sole names the only package, with those below it, that may import each library of the wire; a
// second one has a blank before it.
var sole = map[string]string{
	"github.com/emersion/go-milter":       "milter",
	"github.com/miekg/dns":                "internal/dns",
	"github.com/go-sql-driver/mysql":      "internal/table/sql",
	"github.com/jackc/pgx/v5":             "internal/record/postgres",
	"github.com/jackc/pgx/v5/pgconn":      "internal/table/sql internal/record/postgres",
	"github.com/jackc/pgx/v5/pgxpool":     "internal/record/postgres",
	"blitiri.com.ar/go/spf":               "internal/mailauth",
	"github.com/emersion/go-msgauth/dkim": "internal/mailauth",
	"github.com/go-ldap/ldap/v3":          "internal/table/ldap",
	"log":                                 "cmd/mailweir", // to hand over what libraries write there
	"github.com/spf13/cobra":              "cmd/mailweir",
	"github.com/a-h/templ":                "internal/web",
	"html/template":                       "nobody", // it keeps every exported method of the program, 9 MB
}

// forbidden are names of packages that say nothing.
var forbidden = []string{"util", "utils", "common", "helper", "helpers", "misc", "lib", "shared", "base", "types"}

type goPackage struct {
	ImportPath, Dir string
	Name            string
	Imports         []string
	TestImports     []string
	XTestImports    []string
	GoFiles         []string
}

// ours is the path of a package of ours without the module's, and whether it is one.
func ours(importPath string) (string, bool) { return strings.CutPrefix(importPath, module) }

// packages lists every package of the module.
func packages(t *testing.T) []goPackage {
	t.Helper()
	list := exec.Command("go", "list", "-json=ImportPath,Dir,Name,Imports,TestImports,XTestImports,GoFiles", "./...")
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
		if len(p.GoFiles)+len(p.TestImports)+len(p.XTestImports) > 0 {
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
			if isOurs && !allowed(layers, from, to) {
				t.Errorf("%s may not import %s", from, to)
			}
			if isOurs && forTests(to) && !forTests(from) {
				t.Errorf("%s imports %s, which is for tests", from, to)
			}
			if only, ok := sole[imported]; ok && !isOneOf(from, only) && from != "bench" {
				t.Errorf("%s imports %s, which is for %s alone", from, imported, only)
			}
		}
		for _, imported := range append(p.TestImports, p.XTestImports...) {
			to, isOurs := ours(imported)
			if isOurs && to != from && !allowed(layers, from, to) && !allowed(inTests, from, to) {
				t.Errorf("the tests of %s may not import %s", from, to)
			}
		}
	}
}

// isOneOf reports whether a package is one of some, or below it.
func isOneOf(name, packages string) bool {
	return slices.ContainsFunc(strings.Fields(packages), func(p string) bool { return name == p || strings.HasPrefix(name, p+"/") })
}

func allowed(rules map[string][]string, from, to string) bool {
	if folder, _, _ := strings.Cut(from, "/"); slices.Contains(outside, folder) {
		return true
	}
	for _, kind := range []string{"checks/", "internal/importing/"} {
		if strings.HasPrefix(from, kind) {
			from = kind + "*"
		}
	}
	return slices.ContainsFunc(rules[from], func(pattern string) bool {
		matched, err := path.Match(pattern, to)
		return err == nil && matched
	})
}

// forTests reports whether a package serves tests, and what measures and shows.
func forTests(name string) bool {
	folder, _, _ := strings.Cut(name, "/")
	return strings.HasSuffix(name, "test") || folder == "test" || folder == "bench" || folder == "demo"
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
	exists["checks/*"], exists["internal/importing/*"] = true, true
	for _, rules := range []map[string][]string{layers, inTests} {
		for name := range rules {
			if !exists[name] {
				t.Errorf("there is a rule for %s, which does not exist", name)
			}
		}
	}
}
