package logline

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/sirupsen/logrus"
)

func written(formatter logrus.Formatter, write func(*logrus.Entry)) string {
	var out bytes.Buffer
	log := logrus.New()
	log.SetOutput(&out)
	log.SetFormatter(formatter)
	write(log.WithTime(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)))
	return out.String()
}

func TestFormats(t *testing.T) {
	fields := logrus.Fields{
		"asked": "A → B", "zone": "bl.example", "sender": "<a@b>", "event": "mw-1", "code": 550, "octets": int64(7), "error": errors.New("no"), "answer": true,
		"enhanced": "", "took": 3 * time.Second, "client": "2001:db8::1", "text": "a \"b\"\n\u202e\xff<", "msg": "forged",
	}
	for _, c := range []struct {
		name      string
		formatter logrus.Formatter
		fields    logrus.Fields
		message   string
		want      string
	}{
		{"text", Text{}, fields, "refused ×3", `time="2026-11-23T12:00:00Z" level=info msg="refused ×3" event=mw-1 code=550 enhanced= text="a \"b\"\n\u202e\xff<" client="2001:db8::1" sender="<a@b>" error=no octets=7 answer=true fields.msg=forged zone=bl.example took=3s asked="A → B"` + "\n"},
		{"text without time", Text{Timeless: true}, logrus.Fields{"b": 1, "a": "x/y@z"}, "ready", "level=info msg=ready a=x/y@z b=1\n"},
		{"text without a message", Text{Timeless: true}, nil, "", "level=info\n"},
		{"json", JSON{}, fields, "refused ×3", `{"time":"2026-11-23T12:00:00Z","level":"info","msg":"refused ×3","event":"mw-1","code":550,"enhanced":"","text":"a \"b\"\n` + "\u202e" + `\ufffd<","client":"2001:db8::1","sender":"<a@b>","error":"no","octets":7,"answer":true,"fields.msg":"forged","zone":"bl.example","took":"3s","asked":"A → B"}` + "\n"},
		{"json without fields", JSON{}, nil, "", `{"time":"2026-11-23T12:00:00Z","level":"info","msg":""}` + "\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := written(c.formatter, func(e *logrus.Entry) { e.WithFields(c.fields).Info(c.message) })
			if got != c.want {
				t.Errorf("\n%s, want\n%s", got, c.want)
			}
		})
	}
}

// What has no place of its own stands in one place, whatever the map says.
func TestOrderIsFixed(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range append(order[:], last[:]...) {
		if seen[name] {
			t.Errorf("%s has two places", name)
		}
		seen[name] = true
	}
	write := func(e *logrus.Entry) {
		e.WithFields(logrus.Fields{"z": 1, "y": 2, "x": 3, "event": 4, "asked": 5}).Info("m")
	}
	first := written(Text{}, write)
	for range 20 {
		if again := written(Text{}, write); again != first {
			t.Fatalf("%q, then %q", first, again)
		}
	}
}

// The next line has nothing of the one before, which another has written.
func TestLinesAreApart(t *testing.T) {
	got := written(Text{Timeless: true}, func(e *logrus.Entry) {
		e.WithField("a", strings.Repeat("x", 5000)).Info("long")
		e.Info("short")
	})
	if !strings.HasSuffix(got, "\nlevel=info msg=short\n") {
		t.Errorf("%q", got[len(got)-40:])
	}
}

// Whatever a value holds, a line is one line of text, or one of JSON from which it can be read.
func FuzzLine(f *testing.F) {
	for _, s := range []string{"", "plain", "a b", "\"\\", "\x00\x1f\x7f\u0085\u2028\u202e", "\xff\xfe", "a\x80", "<&>", "é→"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		write := func(e *logrus.Entry) { e.WithField("value", s).Info("m") }
		text := written(Text{}, write)
		if strings.Count(text, "\n") != 1 || strings.ContainsAny(text, "\r\x00\x1b") {
			t.Fatalf("%q", text)
		}
		line := written(JSON{}, write)
		var back struct{ Value string }
		if err := json.Unmarshal([]byte(line), &back); err != nil || !utf8.ValidString(line) || strings.Count(line, "\n") != 1 || back.Value != strings.ToValidUTF8(s, "\ufffd") && back.Value != string([]rune(s)) {
			t.Fatalf("%v: %q gives %q", err, line, back.Value)
		}
	})
}
