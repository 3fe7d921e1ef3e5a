package mailauth_test

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"mailweir/internal/dns/dnstest"
	"mailweir/internal/mailauth"
)

// spfScenario is one part of a test suite: a DNS and what SPF must say over it.
type spfScenario struct {
	Description string
	Tests       map[string]struct {
		Helo, Host, MailFrom string
		Result               oneOrMore
	}
	ZoneData map[string][]map[string]oneOrMore
}

// oneOrMore is a list that the suites write as its only member where it has one.
type oneOrMore []string

func (l *oneOrMore) UnmarshalYAML(n *yaml.Node) error {
	*l = nil
	if n.Kind != yaml.SequenceNode {
		*l = oneOrMore{n.Value}
		return nil
	}
	for _, c := range n.Content {
		*l = append(*l, c.Value)
	}
	return nil
}

// spfDifferences are the tests of the suites for which we say something else, with what and why.
// The library reads a record from the left and no further than the first match, and is lenient with
// what cannot be a name. Whose record has a slip there is vouched for by the rest of it, as by most
// receivers; who forges mail gains nothing, the record is not his.
var spfDifferences = map[string]string{
	"detect-errors-anywhere":       "pass: the error stands behind the match",
	"redirect-is-modifier":         "pass: the error, ?redirect=, stands behind the match",
	"bare-ip6":                     "fail: the error, a bare ip6, stands behind -all",
	"unknown-modifier-syntax":      "fail: the error stands behind -all",
	"exp-empty-domain":             "fail: exp= gives an explanation only, which nobody is shown",
	"exp-twice":                    "fail: exp= gives an explanation only, which nobody is shown",
	"exp-only-macro-char":          "fail: exp= gives an explanation only, which nobody is shown",
	"exp-syntax-error":             "neutral: exp= gives an explanation only, which nobody is shown",
	"redirect-empty-domain":        "neutral: ?all stands before the empty redirect",
	"redirect-syntax-error":        "neutral: ?all stands before the redirect",
	"non-ascii-policy":             "fail: an octet that is not ASCII in a name that is not there",
	"control-char-policy":          "fail: a control character in a name that is not there",
	"invalid-domain":               "fail: a name whose last label cannot be one is not there",
	"a-numeric":                    "neutral: an address as name is its own, and not the client's",
	"a-numeric-toplabel":           "neutral: a name whose last label cannot be one is not there",
	"a-only-toplabel":              "neutral: a name of one label is not there",
	"a-only-toplabel-trailing-dot": "neutral: a name of one label is not there",
	"a-bad-domain":                 "neutral: a name with a port is not there",
	"a-bad-toplabel":               "neutral: a name whose last label cannot be one is not there",
	"a-null":                       "neutral: a name with a NUL is not there",
	"mx-numeric-top-label":         "neutral: a name whose last label cannot be one is not there",
	"mx-bad-domain":                "neutral: a name with a port is not there",
	"mx-bad-toplab":                "neutral: a name whose last label cannot be one is not there",
	"mx-null":                      "neutral: a name with a NUL is not there",
	"cidr4-032":                    "pass: /032 is read as /32",
	"a-colon-domain":               "permerror: a slash within a name is read as that of a prefix length",
	"a-colon-domain-ip4mapped":     "permerror: a slash within a name is read as that of a prefix length",
	"mx-colon-domain":              "permerror: a slash within a name is read as that of a prefix length",
	"mx-colon-domain-ip4mapped":    "permerror: a slash within a name is read as that of a prefix length",
	"p-macro-multiple":             "neutral: %{p}, which RFC 7208 section 7.2 advises against, is always unknown",
	"baddomain":                    "neutral: a name with a port is not there",
	"default-modifier":             "neutral: default= is of no standard",
	"default-modifier-harsh":       "neutral: default= is of no standard, and ambiguous no result of SPF",
}

// TestSPFSuites holds SPF, over our resolver, against the suites of RFC 7208, RFC 4408 and pyspf
// that the library brings along.
func TestSPFSuites(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "blitiri.com.ar/go/spf").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, suite := range []string{"rfc7208", "pyspf", "rfc4408"} {
		t.Run(suite, func(t *testing.T) {
			for _, s := range readSuite(t, filepath.Join(strings.TrimSpace(string(out)), "testdata", suite+"-tests.yml")) {
				r := resolver(t, suiteServer(t, s))
				for name, tt := range s.Tests {
					got, err := mailauth.SPF(t.Context(), r, netip.MustParseAddr(tt.Host), tt.Helo, tt.MailFrom)
					want, explained := spfDifferences[name]
					seen[name] = explained
					switch {
					case explained && !strings.HasPrefix(want, string(got)+":"):
						t.Errorf("%s: %s, explained is %q", name, got, want)
					case explained && slices.Contains(tt.Result, string(got)):
						t.Errorf("%s: no difference any more", name)
					case !explained && !slices.Contains(tt.Result, string(got)):
						t.Errorf("%s: %s (%v), want %v", name, got, err, tt.Result)
					}
				}
			}
		})
	}
	for id := range spfDifferences {
		if !seen[id] {
			t.Errorf("%s is explained and not there", id)
		}
	}
}

func readSuite(t *testing.T, path string) (suite []spfScenario) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for in := yaml.NewDecoder(file); ; {
		var s spfScenario
		if err := in.Decode(&s); errors.Is(err, io.EOF) {
			return suite
		} else if err != nil {
			t.Fatal(err)
		}
		if len(s.Tests) == 0 {
			t.Fatalf("%s: no tests in %q", path, s.Description)
		}
		suite = append(suite, s)
	}
}

// suiteServer is a DNS server with the zone data of a scenario.
func suiteServer(t *testing.T, s spfScenario) *dnstest.Server {
	t.Helper()
	zone := map[string][]map[string]oneOrMore{}
	for name, records := range s.ZoneData {
		zone[strings.ToLower(name)] = records
	}
	server := dnstest.New(t)
	server.Set("", func(name string, m *dnstest.Msg, _ bool) [][]byte {
		answer := dnstest.Rcode(m, dnstest.Success)
		for owner := m.Question[0].Name; ; {
			plain := strings.ReplaceAll(strings.TrimSuffix(name, "."), `\ `, " ") // as the suites write names
			records, known := zone[strings.ToLower(plain)]
			if !known {
				if len(answer.Answer) > 0 {
					return dnstest.One(answer)
				}
				return dnstest.One(dnstest.NX(m))
			}
			alias := ""
			for _, r := range suiteRecords(records) {
				kind, data, _ := strings.Cut(r, " ")
				switch {
				case kind == "FAILS" && len(answer.Answer) == 0:
					return dnstest.One(dnstest.Rcode(m, dnstest.ServerFailure))
				case kind == "CNAME":
					alias = data
				case kind == "FAILS" || !dnstest.Asks(m, kind):
					continue
				}
				dnstest.Add(answer, owner+" 300 IN "+r)
			}
			if alias == "" || len(answer.Answer) > 20 {
				return dnstest.One(answer)
			}
			name, owner = alias, strings.TrimSuffix(alias, ".")+"."
		}
	})
	return server
}

// suiteRecords are the records of a name as a zone file has them. SPF in the suites means TXT,
// where none is given (RFC 7208 section 14.1 has done away with the type).
func suiteRecords(records []map[string]oneOrMore) (lines []string) {
	hasTXT := slices.ContainsFunc(records, func(r map[string]oneOrMore) bool { return r["TXT"] != nil })
	for _, r := range records {
		for kind, data := range r {
			switch kind {
			case "SPF", "TXT":
				if kind == "TXT" && data[0] == "NONE" || kind == "SPF" && hasTXT {
					continue
				}
				line := "TXT"
				for _, text := range data {
					line += quotedText(text)
				}
				lines = append(lines, line)
			case "MX":
				lines = append(lines, "MX "+data[0]+" "+fqdn(data[1]))
			case "PTR", "CNAME":
				lines = append(lines, kind+" "+fqdn(data[0]))
			case "A", "AAAA":
				lines = append(lines, kind+" "+data[0])
			default: // TIMEOUT, SERVFAIL, CNAMELOOP: for what has no record before it
				lines = append(lines, "FAILS")
			}
		}
	}
	return lines
}

func fqdn(name string) string { return strings.TrimSuffix(name, ".") + "." }

// quotedText is a text as strings of a zone file, of 255 octets at most.
func quotedText(text string) string {
	var b strings.Builder
	for part := range slices.Chunk([]byte(text), 255) {
		b.WriteString(` "`)
		for _, c := range part {
			fmt.Fprintf(&b, `\%03d`, c)
		}
		b.WriteByte('"')
	}
	return b.String()
}
