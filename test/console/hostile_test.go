package console

import (
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"mailweir/test/browser"
	"mailweir/test/wire"
)

// hostile are what strangers write where a page will show it.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `javascript:alert(1)`, `</script><script>`,
	`<!--<script>`, `<svg/onload=alert(1)>`, `]]>`, `&lt;script&gt;`, `{{7*7}}`,
	`<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>`, `+ADw-script+AD4-`, `＜script＞`, "a\u202eb", "a\u2028b", "\xff",
	strings.Repeat("A", 5000), `=1+1`, `@SUM(1)`,
}

// strangers sends a message for each value, with the value wherever a stranger may write one.
func (b *bed) strangers(t *testing.T) {
	t.Helper()
	for i, value := range hostile {
		c, err := wire.Dial(b.mailweir.Socket)
		if err != nil {
			t.Fatal(err)
		}
		do := func(command byte, data string) {
			if _, err := c.Do(command, data); err != nil {
				t.Fatalf("%q: %v", value, err)
			}
		}
		short := value[:min(len(value), 200)]
		c.Macros = map[string]string{"i": fmt.Sprintf("Q%d", i), "{auth_authen}": ""}
		do(wire.Connect, short+"\x004"+string(binary.BigEndian.AppendUint16(nil, 25))+fmt.Sprintf("192.0.2.%d\x00", i+1))
		do(wire.Helo, value+"\x00")
		do(wire.Mail, "<\""+strings.ReplaceAll(short, `"`, `\"`)+fmt.Sprintf("\"@evil%d.example>\x00", i))
		do(wire.Rcpt, "<bob@example.org>\x00")
		for _, field := range [][2]string{
			{"From", value + " <x@evil.example>"},
			{"Subject", value},
			{"Message-ID", "<" + value + "@evil.example>"},
			{"Test-Action", "reject"},
			{"MIME-Version", "1.0"},
			{"Content-Type", `application/octet-stream; name="` + strings.ReplaceAll(short, `"`, `\"`) + `"`},
			{"Content-Disposition", `attachment; filename="` + strings.ReplaceAll(short, `"`, `\"`) + `"`},
		} {
			do(wire.Header, c.Terms.Field(field[0], " "+field[1]))
		}
		do(wire.EOH, "")
		do(wire.Body, "x\r\n")
		do(wire.BodyEOB, "")
		_ = c.Close()
		// A login is a stranger's word, too.
		if c, err = wire.Dial(b.mailweir.Socket); err != nil {
			t.Fatal(err)
		}
		c.Macros = map[string]string{"{auth_authen}": short, "{auth_type}": "PLAIN", "i": fmt.Sprintf("R%d", i)}
		do(wire.Connect, "unknown\x004"+string(binary.BigEndian.AppendUint16(nil, 25))+fmt.Sprintf("192.0.2.%d\x00", 100+i))
		do(wire.Helo, "x\x00")
		do(wire.Mail, "<@>\x00")
		_ = c.Close()
	}
}

// What strangers write is text wherever it is shown: no dialog opens, and the console of the
// browser has nothing to say.
func (b *bed) hostile(t *testing.T) {
	b.strangers(t)
	w := b.login(t, "alice")
	w.GoUntil("/rejections?check=spam", fmt.Sprintf("evil%d.example", len(hostile)-1))
	seen := pagesOf(w, "/rejections")
	for i, value := range hostile {
		sought := url.QueryEscape(value[:min(len(value), 300)])
		w.Go("/search?q=" + sought)
		if i < 3 {
			w.Go("/state/tempblock?holding=" + sought)
			w.Go("/settings?holding=" + sought)
			w.Go("/audit?by=" + sought)
			w.Go("/explain?client=" + sought + "&helo=" + sought)
		}
	}
	w.Go("/rejections?check=spam")
	decisions := 0
	for _, path := range w.Links() {
		if strings.HasPrefix(path, "/decision/") {
			w.Go(path)
			seen = append(seen, path)
			decisions++
		}
	}
	if decisions < len(hostile) {
		t.Errorf("%d decisions about %d messages", decisions, len(hostile))
	}
	w.Go("/rejections?check=spam")
	for _, value := range []string{hostile[0], hostile[1], hostile[6], `a\u202eb`} {
		if !w.Says(value) {
			t.Errorf("%q is not shown", value)
		}
	}
	if got := browser.Eval[float64](w, `document.querySelectorAll("main script, main img, main iframe, main math, [onerror], [onload], [onmouseover], [href^='javascript:']").length`); got != 0 {
		t.Errorf("%v elements that no page has", got)
	}
	if problems := w.Problems(); len(problems) > 0 {
		t.Errorf("on %q: %q", seen, problems)
	}
	bob := b.login(t, "bob")
	pagesOf(bob, "/mine")
	if problems := bob.Problems(); len(problems) > 0 {
		t.Errorf("bob: %q", problems)
	}
}
