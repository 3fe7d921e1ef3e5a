package web

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"mailweir/internal/mailauth"
	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/trace"
	"mailweir/internal/web/view"
)

// hostile are values that strangers have hurt others with, in every field that they choose.
func hostile() []string {
	return []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `javascript:alert(1)`, `</script><script>`, `<!--<script>`,
		`<svg/onload=alert(1)>`, `]]>`, `&lt;script&gt;`, `{{7*7}}`, `<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>`,
		`+ADw-script+AD4-`, `＜script＞`, "a\u202egnp.exe", "a\u2028b", "a\x00b", "a\xffb", strings.Repeat("A", 5000), "a\r\nevent: x\r\ndata: y\r\n\r\n", "=1+1", "+1", "-1", "@SUM(1)", "\t=1", "</template>", "\x1b[2J",
	}
}

// hostileEntries are two decisions and a message with a value in every field; n tells them from
// others.
func hostileEntries(value string, n int) []record.Entry {
	e := refusal(fmt.Sprintf("mw-1%07d", n), value, func(e *policy.Event) {
		e.Host, e.Cause, e.ClientName, e.Helo, e.Login, e.Sender, e.Direction, e.QueueID = value, value, value, value, value, value, value, value
		e.MessageID, e.From, e.Subject, e.Attachments, e.DKIM, e.DMARC, e.Policy = value, value, value, []string{value}, []string{value}, value, value
		e.SPF, e.Service, e.Reply, e.Row, e.Stack = mailauth.SPFResult(value), policy.Service(value), "rbl", value, value
		e.Recipients, e.Count = []string{"bob@example.org", value, "carol@example.org"}, 3
		e.Line = lineOf("550", "5.7.1", strings.ToValidUTF8(strings.Map(func(r rune) rune {
			if r < ' ' {
				return -1
			}
			return r
		}, value), ""))
		e.TLS = policy.TLS{Version: value, Cipher: value, CertSubject: value, CertIssuer: value}
		e.Trace = []trace.Query{{Question: value, Answer: value}}
		e.Edits = []policy.Edit{{Kind: policy.EditAdd, Name: value, Value: value}}
		e.Dedup = &policy.Dedup{Alike: policy.Alike(value), Times: 3, Last: noon, Senders: []string{value, "x"}, SenderCount: 2}
	})
	failed := refusal(fmt.Sprintf("mw-2%07d", n), "bob@example.org", func(e *policy.Event) {
		e.Action, e.Err, e.Check, e.Cause, e.Sender, e.Subject = policy.ActionError, value, value, value, value, value
	})
	m := message(fmt.Sprint("m", n), "bob@example.org", value)
	t := m.Message
	t.Host, t.ClientName, t.Helo, t.Login, t.Sender, t.QueueID, t.MessageID, t.From, t.Subject = value, value, value, value, value, value, value, value, value
	t.DKIM, t.DMARC, t.Attachments, t.Policy, t.Check, t.Would = []string{value}, value, []string{value}, value, value, []string{value}
	t.SPF, t.Service, t.TLS = mailauth.SPFResult(value), policy.Service(value), policy.TLS{Version: value, Cipher: value}
	return []record.Entry{e, failed, m}
}

// pagesOf are the pages that show the entries of a value, or are asked for with it, with who looks
// at them.
func pagesOf(value string, n int) map[string]policy.Person {
	q, path := url.QueryEscape(value), url.PathEscape(value)
	return map[string]policy.Person{
		fmt.Sprintf("/decision/mw-1%07d", n): alice, fmt.Sprintf("/decision/mw-2%07d", n): alice, fmt.Sprintf("/message/m%d/1", n): alice,
		fmt.Sprintf("/mine/mw-1%07d", n): bob, fmt.Sprintf("/mine/mw-2%07d", n): bob,
		"/search?q=" + url.QueryEscape(value+"@example.org"): alice,
		"/rejections?text=" + q + "&from=" + q + "&to=" + q + "&client=" + q + "&check=" + q + "&since=" + q + "&mid=" + q + "&login=" + q + "&mode=" + q + "&code=" + q + "&action=" + q + "&host=" + q + "&before=" + q: alice,
		"/decision/mw-" + path: alice, "/message/s" + path + "/" + path: alice, "/mine/mw-" + path: bob,
	}
}

// allHostile is a record of every value, or of as many harmless ones.
func allHostile(t *testing.T, instead string) *world {
	t.Helper()
	var entries []record.Entry
	for n, value := range hostile() {
		if instead != "" {
			value = instead
		}
		entries = append(entries, hostileEntries(value, n)...)
	}
	return newWorld(t, entries...)
}

// What strangers chose is text on every page: no element and no attribute is made of it.
func TestHostileValues(t *testing.T) {
	var w *world
	for n, value := range hostile() {
		if n%4 == 0 { // each page reads what all of a record have in common
			var entries []record.Entry
			for k, value := range hostile()[n:min(n+4, len(hostile()))] {
				entries = append(entries, hostileEntries(value, n+k)...)
			}
			w = newWorld(t, entries...)
		}
		for path, v := range pagesOf(value, n) {
			code, body := w.get(v, path)
			if code >= 500 {
				t.Errorf("%.40q: %.100s: %d %.200s", value, path, code, body)
			}
			if code == http.StatusSeeOther {
				continue
			}
			for _, wrong := range tame(body) {
				t.Errorf("%.40q: %.100s: %.200s", value, path, wrong)
			}
		}
	}
}

// Lists have the same elements with hostile values as with harmless ones.
func TestHostileLists(t *testing.T) {
	w, harmless := allHostile(t, ""), allHostile(t, "harmless")
	for _, wrong := range tame(w.page(alice, "/")) {
		t.Errorf("/: %.200s", wrong)
	}
	for path, v := range map[string]policy.Person{"/rejections?show=all": alice, "/mine": bob} {
		for pages := 0; path != ""; pages++ {
			body, other := w.page(v, path), harmless.page(v, path)
			if got, want := skeleton(body), skeleton(other); !slices.Equal(got, want) {
				t.Errorf("%s: %d elements, want %d", path, len(got), len(want))
			}
			for _, wrong := range tame(body) {
				t.Errorf("%s: %.200s", path, wrong)
			}
			path = linkNamed(body, "next")
		}
	}
}

// tame says which parts of a page cannot be ours: elements, attributes and places that no template
// has, characters that cannot be seen.
func tame(page string) (wrong []string) {
	elements := strings.Fields("html head meta title link script body a header nav ul li form label input button div span main p footer h1 h2 h3 section table caption thead tbody tr th td " +
		"time bdi dl dt dd details summary datalist option select code pre blockquote strong kbd template svg rect")
	attributes := strings.Fields("lang charset name content rel type href src defer class id aria-label aria-labelledby aria-current aria-describedby aria-live aria-pressed aria-hidden aria-keyshortcuts " +
		"action method role for value placeholder maxlength autocomplete spellcheck tabindex scope datetime data-label data-rows data-live data-key data-f data-up data-short open list required " +
		"checked selected hidden download viewbox preserveaspectratio width height x y")
	z := html.NewTokenizer(strings.NewReader(page))
	scripts := 0
	for {
		switch z.Next() {
		case html.ErrorToken:
			if scripts != 1 {
				wrong = append(wrong, fmt.Sprintf("%d scripts", scripts))
			}
			if i := strings.IndexFunc(page, func(r rune) bool {
				return r < ' ' && r != '\n' || r == 0x7f || r >= 0x202a && r <= 0x202e || r == 0x2028
			}); i >= 0 {
				wrong = append(wrong, fmt.Sprintf("hidden: %.40q", page[max(0, i-20):]))
			}
			return wrong
		case html.CommentToken:
			wrong = append(wrong, "a comment: "+z.Token().Data)
		case html.StartTagToken, html.SelfClosingTagToken:
			tag := z.Token()
			if !slices.Contains(elements, tag.Data) {
				wrong = append(wrong, "element "+tag.Data)
			}
			if tag.Data == "script" {
				scripts++
			}
			for _, a := range tag.Attr {
				if !slices.Contains(attributes, strings.ToLower(a.Key)) {
					wrong = append(wrong, "attribute "+a.Key)
				}
				if place := slices.Contains([]string{"href", "src", "action", "data-live"}, a.Key); place && !(strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "//") || strings.HasPrefix(a.Val, "#")) {
					wrong = append(wrong, a.Key+" to "+a.Val)
				}
			}
		}
	}
}

// The test would find what it looks for.
func TestTame(t *testing.T) {
	for page, want := range map[string]string{
		`<script src="/a"></script><p>x</p>`:                              "",
		`<script src="/a"></script><img src="/x">`:                        "element img",
		`<script src="/a"></script><p onclick="x">`:                       "attribute onclick",
		`<script src="/a"></script><p style="x">`:                         "attribute style",
		`<script src="//evil.example/a"></script>`:                        "src to //evil.example/a",
		`<script src="/a"></script><a href="javascript:alert(1)">x</a>`:   "href to javascript:alert(1)",
		`<script src="/a"></script><a href="https://evil.example/">x</a>`: "href to https://evil.example/",
		`<script src="/a"></script><script>x</script>`:                    "2 scripts",
		`<script src="/a"></script><!-- x -->`:                            "a comment:  x ",
		"<script src=\"/a\"></script>\u202e":                              `></script>\u202e"`,
	} {
		if got := strings.Join(tame(page), "; "); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%s: %s, want %s", page, got, want)
		}
	}
}

// skeleton are the elements of a page with the names of their attributes, but for those that show
// what cannot be seen.
func skeleton(page string) (list []string) {
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return list
		case html.StartTagToken, html.SelfClosingTagToken:
			tag := z.Token()
			name := tag.Data
			for _, a := range tag.Attr {
				name += " " + a.Key
				if a.Key == "class" && a.Val == "esc" {
					name = ""
				}
			}
			if name != "" {
				list = append(list, name)
			}
		}
	}
}

// No cell is a formula, and whatever is sent stays in its line.
func TestHostileExports(t *testing.T) {
	w := allHostile(t, "")
	rows, err := csv.NewReader(strings.NewReader(w.page(alice, "/rejections.csv?show=all"))).ReadAll()
	if err != nil || len(rows) != 1+3*len(hostile()) {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, row := range rows {
		for i, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r＝＋－＠", []rune(cell)[0]) || strings.ContainsAny(cell, "\r\n\x00\x1b\u202e") {
				t.Errorf("%s is %.80q", rows[0][i], cell)
			}
		}
	}
	lines := strings.Split(strings.TrimSuffix(w.page(alice, "/rejections.jsonl?show=all"), "\n"), "\n")
	if len(lines) != 3*len(hostile()) {
		t.Errorf("%d lines", len(lines))
	}
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			t.Errorf("%.200s", line)
		}
	}
	for n, value := range hostile() {
		for _, e := range hostileEntries(value, n) {
			data, err := json.Marshal(rowOf(e).Live())
			if err != nil || strings.ContainsAny(string(data), "\r\n\x00\u202e\u2028") {
				t.Errorf("%.40q: %v %s", value, err, data)
			}
		}
	}
}

// A row that is sent has what a row of the page has, cut alike.
func TestLiveRow(t *testing.T) {
	got := rowOf(refusal("mw-00000001", "bob@example.org", func(e *policy.Event) {
		e.Recipients, e.Count, e.Subject = append(e.Recipients, "x@example.org"), 5, "=?utf-8?q?Gr=C3=BC=C3=9Fe?= \u202e"
	})).Live()
	want := view.Live{
		Key: "mw-00000001", Href: "/decision/mw-00000001", At: "2026-11-28T12:00:00Z", Time: "2026-11-28 12:00:00Z", Word: "refused", Tone: view.Bad,
		Code: "550", Check: "rbl", Sender: "ann@example.net", To: "bob@example.org", Others: "+4", Client: "192.0.2.1 mail.example.net", Subject: `Grüße \u202e`,
		Why: "192.0.2.1: score 1 (bl.example +1 127.0.0.2)",
	}
	if got != want {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}

// No page asks anybody else, not even one that strangers name.
func TestNoThirdParty(t *testing.T) {
	const evil = "https://evil.example/x.js"
	w := newWorld(t, hostileEntries(evil, 0)...)
	for path, v := range pagesOf(evil, 0) {
		if code, body := w.get(v, path); code != http.StatusSeeOther && len(tame(body)) > 0 {
			t.Errorf("%s: %s", path, tame(body))
		}
	}
}
