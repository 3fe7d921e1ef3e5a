package encodedword

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"mailweir/internal/charset"
	"mailweir/test/testbed"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
)

// TestAgainstOthers holds the readings of encoded words, right ones and faulty ones, against what
// Python's email, Perl's MIME-tools and Perl's Encode make of them: what one of them shows is one
// of the readings.
func TestAgainstOthers(t *testing.T) {
	values := generated(4000)
	for _, other := range []struct{ name, command, script string }{
		{"Python", "python3", "testdata/decode.py"},
		{"Perl", "perl", "testdata/decode.pl"},
	} {
		t.Run(other.name, func(t *testing.T) {
			for i, texts := range decodedBy(t, other.command, other.script, values) {
				readings := Readings(values[i])
				for _, text := range texts {
					if !garbled(text) && !found(readings, text) {
						t.Errorf("%q\n shows %q\n readings %q", values[i], text, readings)
					}
				}
			}
		})
	}
}

// found tells that a text is one of the readings, white space aside, and that its words are words
// of a reading. A word that they leave as it is hides nothing.
func found(readings []string, text string) bool {
	same, words := false, map[string]bool{}
	for _, r := range readings {
		for _, word := range asciiWords(r) {
			words[word] = true
		}
	}
	for _, text := range Readings(text) {
		for _, r := range readings {
			same = same || shown(r, text) == shown(text, r) || shown(r, text) == shown(windows1252(text), r)
		}
	}
	return same && (explained(readings, text) || !slices.ContainsFunc(asciiWords(text), func(word string) bool { return !words[word] }))
}

// garbled tells what base64 out of step has left: nobody reads a text in it.
func garbled(text string) bool {
	return strings.ContainsRune(text, utf8.RuneError) && strings.ContainsAny(text, "\x04\x06\x16\x1b")
}

// explained tells texts whose words may be cut otherwise: a word is left as it is; half a character
// at the end of a word, which Perl leaves out and we show as U+FFFD; Python's blank beside ASCII
// where base64 is faulty, too, because each reading has one difference.
func explained(readings []string, text string) bool {
	return strings.Contains(text, "=?") || strings.ContainsRune(strings.Join(readings, "")+text, utf8.RuneError) ||
		slices.ContainsFunc(readings, func(r string) bool { return strings.ContainsAny(r, "\b\x1b") })
}

func asciiWords(s string) []string {
	return strings.FieldsFunc(visible(s), func(r rune) bool { return r != '@' && (r < 'A' || r > 'z' || r > 'Z' && r < 'a') })
}

// windows1252 makes of the controls that iso-8859-1 has at some octets what programs show there.
func windows1252(s string) string {
	return strings.Map(func(r rune) rune {
		if 0x80 <= r && r < 0xa0 {
			if shown := charmap.Windows1252.DecodeByte(byte(r)); shown != utf8.RuneError {
				return shown
			}
		}
		return r
	}, s)
}

// visible is a text without what nobody sees.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && !unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
}

// shown is a text without white space; without all that is not ASCII, if one of the two texts has
// octets that could not be decoded: there ours are windows-1252.
func shown(s, other string) string {
	unknown := strings.ContainsRune(s+other, '\ufffd')
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unknown && r >= 0x80 {
			return -1
		}
		return r
	}, visible(s))
}

// decodedBy runs a script that reads values and prints texts.
func decodedBy(t *testing.T, command, script string, values []string) (texts [][]string) {
	t.Helper()
	if _, err := exec.LookPath(command); err != nil {
		testbed.Skip(t, "no "+command+": encoded words are not compared")
	}
	var in strings.Builder
	for _, value := range values {
		line, _ := json.Marshal(value)
		fmt.Fprintf(&in, "%s\n", line)
	}
	run := exec.Command(command, script)
	run.Stdin = strings.NewReader(in.String())
	out, err := run.Output()
	if err != nil {
		testbed.Skip(t, fmt.Sprintf("%s cannot run %s: %v", command, script, err))
	}
	lines := bufio.NewScanner(strings.NewReader(string(out)))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var one []string
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, one)
	}
	if len(texts) != len(values) {
		t.Fatalf("%d of %d values", len(texts), len(values))
	}
	return texts
}

// generated makes header fields of encoded words, with one fault in most, always the same.
func generated(n int) (values []string) {
	g := generator{rand.New(rand.NewPCG(1, 2))}
	for range n {
		words := []string{g.word(false), g.word(false), g.word(false)}[:1+g.IntN(3)]
		before, between, after := "", " ", ""
		switch g.IntN(6) {
		case 0:
			before = g.pick("x", "Re: ", `"`, "(", "=", "ä ", "a@b ", "=?", "?= ")
		case 1:
			between = g.pick("", "  ", "\r\n ", "\t", "x", " x ", `"`, ",", "=")
		case 2:
			after = g.pick("x", `"`, ")", ", ", "=", "?", " x")
		default:
			words[g.IntN(len(words))] = g.word(true)
		}
		values = append(values, before+strings.Join(words, between)+after)
	}
	return values
}

type generator struct{ *rand.Rand }

func (g generator) pick(from ...string) string { return from[g.IntN(len(from))] }

var labels = []string{
	"utf-8", "UTF-8", "utf8", "us-ascii", "iso-8859-1", "windows-1252", "koi8-r", "iso-2022-jp", "shift_jis", "euc-jp",
	"gb2312", "gbk", "big5", "euc-kr", "iso-2022-kr", "hz", "utf-7", "utf-16be", "x-none", "", "utf-8*en", "iso-8859-15",
}

var sevenBits = map[string]bool{"iso-2022-jp": true, "iso-2022-kr": true, "hz": true, "utf-7": true, "utf-16be": true}

// samples are honest texts.
var samples = map[string]string{
	"utf-8": "Jürgen", "iso-8859-1": "Jürgen", "windows-1252": "Jürgen’s", "iso-8859-15": "5 € now", "koi8-r": "привет",
	"iso-2022-jp": "秘密 offer 提案", "shift_jis": "秘密 offer 提案", "euc-jp": "秘密 offer 提案", "gb2312": "秘密 offer 中文",
	"gbk": "秘密 offer 中文", "big5": "秘密 offer 中文", "hz": "秘密 offer 中文", "euc-kr": "비밀 제안 offer", "utf-16be": "秘密 offer",
}

func (g generator) word(faulty bool) string {
	label := g.pick(labels...)
	foreign := "秘密 offer" // as UTF-8 under another name, but where no octet of it may stand
	if sevenBits[label] {
		foreign = "secret offer"
	}
	octets := g.pick("secret offer", "bad@example.net", "a", "", samples[label], samples[label], foreign, "x\n", "secret\x00offer")
	e := charset.ByName(label)
	if label == "iso-2022-jp" {
		e = japanese.ISO2022JP // ours does not encode
	}
	if e != nil && (label != "big5" || octets == samples[label]) {
		if encoded, err := e.NewEncoder().String(octets); err == nil {
			octets = encoded
		}
	}
	encoding := g.pick("b", "B", "q", "Q")
	end := "?="
	fault := -1
	if faulty {
		fault = g.IntN(5)
	}
	switch fault {
	case 0:
		label += g.pick("*en", " ", "*")
	case 1:
		octets = octets[:g.IntN(len(octets)+1)]
	case 2:
		end = g.pick("?", "=", " ?=", "")
	}
	text := g.quoted(octets)
	if strings.EqualFold(encoding, "b") {
		text = base64.StdEncoding.EncodeToString([]byte(octets))
	}
	if fault > 2 && !sevenBits[label] {
		text = g.spoil(text)
	}
	return "=?" + label + "?" + encoding + "?" + text + end
}

func (g generator) quoted(octets string) string {
	var out strings.Builder
	for _, c := range []byte(octets) {
		switch {
		case c == ' ' && g.IntN(2) == 0:
			out.WriteByte('_')
		case c <= ' ' || c == '=' || c == '?' || c == '_' || c >= 0x7f || g.IntN(8) == 0:
			fmt.Fprintf(&out, g.pick("=%02X", "=%02x"), c)
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

// spoil puts one fault in a text.
func (g generator) spoil(text string) string {
	at := g.IntN(len(text) + 1)
	switch g.IntN(6) {
	case 0:
		return strings.TrimRight(text, "=")
	case 1:
		return text[:at]
	case 2:
		return text + base64.StdEncoding.EncodeToString([]byte("more"))
	default:
		return text[:at] + g.pick("=", "==", "-", "_", " ", "!", "*", "?", "=zz", "\r\n ", "=4", ".") + text[at:]
	}
}
