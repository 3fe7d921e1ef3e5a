package content

import (
	"fmt"
	"math/rand/v2"
	"mime/quotedprintable"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// TestBodiesAgainstReaders holds bodies in faulty transfer encodings against the same programs as
// TestAgainstReaders: what one of them reads is found here. MAILWEIR_READERS=N tries N messages.
func TestBodiesAgainstReaders(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in")
	if err := os.Mkdir(in, 0o700); err != nil {
		t.Fatal(err)
	}
	e := mustExaminer(t, Options{}, "!activation 1\n!scan body attachments\n1 "+strings.Join(tokens(), "\n1 "))
	var messages []string
	var found []map[string]bool
	count := 400
	if n, err := strconv.Atoi(os.Getenv("MAILWEIR_READERS")); err == nil {
		count = n
	}
	for i := range count {
		g := bodies{rand.New(rand.NewPCG(uint64(i), 1))}
		messages = append(messages, g.message())
		if err := os.WriteFile(filepath.Join(in, fmt.Sprintf("%06d", i)), []byte(delivered(messages[i])), 0o600); err != nil {
			t.Fatal(err)
		}
		found = append(found, map[string]bool{})
		for _, h := range examine(t, e, messages[i], 1000).Outcomes[0].Hits {
			found[i][h.Entry.Text] = true
		}
	}
	for _, reader := range otherReaders() {
		t.Run(reader.name, func(t *testing.T) {
			texts := 0
			for i, their := range reader.run(t, in, filepath.Join(dir, reader.name)) {
				var missed []string
				for _, token := range strings.FieldsFunc(seen(their.Text), noWord) {
					if tokenPattern.FindString(token) != token || token == "" {
						continue
					}
					if texts++; !found[i][token] {
						missed = append(missed, token)
					}
				}
				if len(missed) > 0 && !explainedBody(reader.name, messages[i], missed) {
					t.Errorf("message %d: not found %q in\n%s\n%q", i, missed, messages[i], their.Text)
				}
			}
			if texts == 0 {
				t.Error("it has found nothing")
			}
			t.Logf("%d texts", texts)
		})
	}
}

// delivered is a message as an MTA hands it on: Postfix and Sendmail take the blank before the
// colon of a field of the message away. Python and MIME-tools would overlook the field.
func delivered(message string) string {
	header, body, _ := strings.Cut(message, "encoding :")
	if body == "" {
		return message
	}
	return header + "encoding:" + body
}

// explainedBody tells what hides nothing.
func explainedBody(reader, message string, missed []string) bool {
	switch reader {
	case "Python":
		return foldedEncoding.MatchString(message)
	case "ripMIME", "MIME-tools":
		// Of a damaged line of uuencode both read rubbish, in which there may be something like a
		// word.
		return strings.Contains(message, "begin 644") && len(missed) <= 2
	}
	return false
}

// foldedEncoding is a field that Python alone does not understand: it does not unfold it, and gives
// the body as it came.
var foldedEncoding = regexp.MustCompile(`(?i)transfer-encoding:(\r?\n| [^\n]*\n )`)

// seen is a text as a program shows it. Of controls it shows nothing, and we match without them: in
// `x<NUL>y`, as damaged uuencode has it, nobody sees two words.
func seen(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && !unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text)
}

// noWord tells what stands between words.
func noWord(r rune) bool {
	return r != '_' && r != utf8.RuneError && !unicode.IsLetter(r) && !unicode.IsDigit(r)
}

// bodies makes bodies in transfer encodings, with one fault in most.
type bodies struct{ *rand.Rand }

func (g bodies) pick(from ...string) string { return from[g.IntN(len(from))] }

func (g bodies) message() string {
	var text strings.Builder
	for i := range 1 + g.IntN(30) {
		fmt.Fprintf(&text, "tok%dz%s", i, g.pick(" ", " ", " some words ", "\n", ". "))
	}
	header, body := "", ""
	switch g.IntN(3) {
	case 0:
		header = g.field("base64", "BASE64", "Base64")
		body = g.base64(text.String())
	case 1:
		header = g.field("quoted-printable", "Quoted-Printable")
		body = g.quoted(text.String())
	default:
		header = g.field("x-uuencode", "x-uue", "uuencode", "X-UUENCODE")
		body = g.uuencode(text.String())
	}
	media := g.pick("text/plain", "text/plain; charset=us-ascii", "text/enriched", "application/octet-stream; name=n1x.txt")
	message := "From: a@b.example\nMIME-Version: 1.0\nContent-Type: " + media + "\n" + header + "\n\n" + body + "\n"
	if g.IntN(2) == 0 {
		message = strings.ReplaceAll(message, "\n", "\r\n")
	}
	return message
}

func (g bodies) field(names ...string) string {
	name := g.pick(names...)
	if g.IntN(3) > 0 {
		return "Content-Transfer-Encoding: " + name
	}
	return g.pick(
		"Content-Transfer-Encoding:"+name, "Content-Transfer-Encoding: \""+name+"\"", "Content-Transfer-Encoding: "+name+".",
		"Content-Transfer-Encoding: "+name+", 7bit", "Content-Transfer-Encoding: 7bit, "+name, "Content-Transfer-Encoding: "+name+"; x=y",
		"Content-Transfer-Encoding: "+name+" (x)", "Content-Transfer-Encoding: (x) "+name, "Content-Transfer-Encoding: "+name+" 8bit",
		"Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: "+name, "Content-Transfer-Encoding: "+name+"\nContent-Transfer-Encoding: 7bit",
		"Content-Transfer-Encoding:\n "+name, "Content-Transfer-Encoding: x-foo", "Content-transfer-encoding : "+name, "Content-Transfer-Encoding: "+name+"\n ",
	)
}

// spoil puts one fault in a text.
func (g bodies) spoil(text string, faults ...string) string {
	at := g.IntN(len(text) + 1)
	return text[:at] + g.pick(faults...) + text[at:]
}

func (g bodies) base64(text string) string {
	width := []int{76, 76, 4, 1000}[g.IntN(4)]
	body := ""
	for line := b64(text); line != ""; {
		n := min(width, len(line))
		body += line[:n] + "\n"
		line = line[n:]
	}
	switch g.IntN(8) {
	case 0:
		return strings.TrimRight(body, "=\n")
	case 1:
		return body + b64("tok38z and more")
	case 2:
		return body + g.pick("\n_____\n", "\n-- \n", "\n\n", "=", "\n") + "tok38z of the list\n"
	case 3:
		return body[:g.IntN(len(body))]
	case 4:
		return g.pick("tok39z\n", "\n\n", " ") + body
	case 5:
		return body
	}
	return g.spoil(body, "=", "==", "===", "-", "_", "!", " ", "*", "\x00", ".", "\n\n", "\xe4", "=\n")
}

func (g bodies) quoted(text string) string {
	var b strings.Builder
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	body := strings.ReplaceAll(strings.ReplaceAll(b.String(), "\r\n", "\n"), "some", g.pick("some", "s=6fme", "s=6Fme", "s=\nome", "s= \nome"))
	if g.IntN(3) == 0 {
		return body
	}
	return g.spoil(body, "=", "==", "=zz", "=4", "=\n", "= \n", "=\t \n", "=3D", "=0A", "=20\n", "=\x00", "_", "=e4", "\xe4")
}

func (g bodies) uuencode(text string) string {
	body := uu("n2x.txt", text)
	switch g.IntN(8) {
	case 0:
		begin, lines, _ := strings.Cut(body, "\n")
		return begin + "\n" + strings.ReplaceAll(lines, " ", "`")
	case 1:
		return strings.TrimSuffix(body, "`\nend\n")
	case 2:
		return "tok39z before\n\n" + body + "tok38z behind\n"
	case 3:
		return strings.Replace(body, "begin 644", g.pick("begin 0644", "begin  644", "Begin 644", "begin 600", "begin-base64 644"), 1)
	case 4:
		return g.spoil(body, "\n", "x", " ", "~")
	}
	return body
}
