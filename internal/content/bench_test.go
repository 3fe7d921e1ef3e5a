package content

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"mailweir/internal/content/fold"
	"mailweir/internal/content/match"

	"github.com/wasilibs/go-re2/experimental"
)

// commonWords are the words of English that texts are made of: the worst text for an index of
// words.
var commonWords = strings.Fields(`the of and to in a is that it was for on are as with his they at be this from have or by one had not but
	what all were when we there can an your which their said if do will each about how up out them then she many some so these
	would other into has more her two like him see time could no make than first been its who now people my made over did down
	only way find use may water long little very after words called just where most know`)

// commonText is n octets of common words in no order.
func commonText(n int) []byte {
	random := rand.New(rand.NewPCG(3, 4))
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(commonWords[random.IntN(len(commonWords))])
		b.WriteByte(" \n"[random.IntN(10)/9])
	}
	return []byte(b.String()[:n])
}

// readHam gives the folded text of real wanted messages.
func readHam(b *testing.B) []byte {
	b.Helper()
	dir, names := corpus(b, "easy_ham")
	var text []byte
	for _, name := range names {
		octets := mustRead(b, filepath.Join(dir, name))
		_, body, _ := strings.Cut(octets, "\n\n")
		text = append(append(text, fold.Text(body)...), '\n')
		if len(text) > 1<<20 {
			break
		}
	}
	return text[:1<<20]
}

// phrases makes n entries of two common words and a rare one.
func rarePhrases(n int) []string {
	random := rand.New(rand.NewPCG(5, 6))
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("%s %s zz%d", commonWords[random.IntN(len(commonWords))], commonWords[random.IntN(len(commonWords))], i))
	}
	return out
}

// commonPhrases makes n entries of four common words.
func commonPhrases(n int) []string {
	random := rand.New(rand.NewPCG(7, 8))
	var out []string
	for range n {
		var words []string
		for range 4 {
			words = append(words, commonWords[random.IntN(len(commonWords))])
		}
		out = append(out, strings.Join(words, " "))
	}
	return out
}

// vocabulary is the words of a text of four letters or more, each once.
func vocabulary(text []byte) []string {
	var words []string
	seen := map[string]bool{}
	for _, word := range regexp.MustCompile(`\b[a-z]{4,}\b`).FindAllString(string(text), -1) {
		if !seen[word] {
			seen[word] = true
			words = append(words, word)
		}
	}
	return words
}

func gapPatterns(n int, words []string) []string {
	random := rand.New(rand.NewPCG(9, 10))
	var out []string
	for range n {
		out = append(out, words[random.IntN(len(words))]+".{0,20}"+words[random.IntN(len(words))])
	}
	return out
}

// perCPU reports the speed by processor time, which other work on the machine disturbs less than
// the time on the wall.
func perCPU(b *testing.B, octets int) func() {
	start := cpuTime(b)
	return func() {
		b.ReportMetric(float64(octets)*float64(b.N)/1e6/(cpuTime(b)-start).Seconds(), "MB/cpu-s")
	}
}

func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func benchMatch(b *testing.B, text []byte, kind string, entries []string) {
	e := mustExaminer(b, Options{}, "!activation 1\n!scan body\n1 "+kind+strings.Join(entries, "\n1 "+kind))
	b.ReportAllocs()
	defer perCPU(b, len(text))()
	for b.Loop() {
		found := 0
		for from := 0; from < len(text); from += match.WindowSize {
			part := text[from:min(from+match.WindowSize, len(text))]
			report := func(int32, int, int) { found++ }
			e.words.Find(part, 0, len(part), report)
			more, never := func(int32, int, int) bool { found++; return true }, func() bool { return false }
			if err := e.patterns.Find(part, 0, len(part), never, more); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	texts := map[string][]byte{"common": commonText(1 << 20)}
	b.Run("ham", func(b *testing.B) { texts["ham"] = readHam(b) })
	for _, name := range []string{"ham", "common"} {
		text := texts[name]
		if text == nil {
			continue
		}
		for _, n := range []int{10, 1000, 10000} {
			b.Run(fmt.Sprintf("%s/rare-phrases-%d", name, n), func(b *testing.B) { benchMatch(b, text, "", rarePhrases(n)) })
			b.Run(fmt.Sprintf("%s/common-phrases-%d", name, n), func(b *testing.B) { benchMatch(b, text, "", commonPhrases(n)) })
		}
		b.Run(name+"/gap-patterns-of-its-words-100", func(b *testing.B) { benchMatch(b, text, "regex ", gapPatterns(100, vocabulary(text))) })
		for _, n := range []int{1, 100} {
			b.Run(fmt.Sprintf("%s/gap-patterns-%d", name, n), func(b *testing.B) { benchMatch(b, text, "regex ", gapPatterns(n, commonWords)) })
		}
		b.Run(name+"/re2-set-rare-phrases-1000", func(b *testing.B) { benchSet(b, text, rarePhrases(1000)) })
	}
}

// benchSet is the way not taken: words as patterns of RE2's set.
func benchSet(b *testing.B, text []byte, entries []string) {
	var sources []string
	for _, e := range entries {
		sources = append(sources, "(?im)"+`\b`+strings.ReplaceAll(e, " ", `\s+`)+`\b`)
	}
	set, err := experimental.CompileSetWithOptions(sources, experimental.CompileOptions{MaxMem: 64 << 20})
	if err != nil {
		b.Fatal(err)
	}
	defer perCPU(b, len(text))()
	for b.Loop() {
		for from := 0; from < len(text); from += match.WindowSize {
			if _, err := set.FindAllWithError(text[from:min(from+match.WindowSize, len(text))], -1); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		src := "!activation 1\n1 " + strings.Join(rarePhrases(n), "\n1 ")
		b.Run(fmt.Sprint("words-", n), func(b *testing.B) {
			for b.Loop() {
				mustExaminer(b, Options{}, src)
			}
		})
	}
	src := "!activation 1\n1 regex " + strings.Join(gapPatterns(1000, commonWords), "\n1 regex ")
	b.Run("patterns-1000", func(b *testing.B) {
		for b.Loop() {
			mustExaminer(b, Options{}, src)
		}
	})
}

// BenchmarkExamine examines whole messages: extraction with a definition of one word.
func BenchmarkExamine(b *testing.B) {
	text := string(commonText(1 << 20))
	lines := strings.ReplaceAll(strings.ReplaceAll(text, "\n", " "), "the ", "the\n")
	for _, c := range []struct{ name, msg string }{
		{"small", "Subject: x\n\n" + lines[:4000]},
		{"plain", "Subject: x\n\n" + lines},
		{"base64", attach("a.txt", "text/plain", []byte(lines))},
		{"quoted-printable", mimePart("Content-Transfer-Encoding: quoted-printable", strings.ReplaceAll(lines, "a", "=61"))},
		{"html", mimePart("Content-Type: text/html", "<p>"+strings.ReplaceAll(lines, "of ", "<b style='color:red'>of</b> "))},
		{"zip", attach("a.zip", "application/zip", zipOf(b, "a.txt", lines))},
	} {
		b.Run(c.name, func(b *testing.B) {
			e := mustExaminer(b, Options{}, "!activation 1\n1 zzyzx")
			body := []byte(strings.ReplaceAll(c.msg[strings.Index(c.msg, "\n\n")+2:], "\n", "\r\n"))
			var h []string
			for _, line := range strings.Split(c.msg[:strings.Index(c.msg, "\n\n")], "\n") {
				name, value, _ := strings.Cut(line, ": ")
				h = append(h, name, value)
			}
			b.ReportAllocs()
			defer perCPU(b, len(body))()
			for b.Loop() {
				x := e.Begin(Text | Files)
				for i := 0; i < len(h); i += 2 {
					x.Header(h[i], h[i+1])
				}
				for i := 0; i < len(body); i += 65535 {
					x.Body(body[i:min(i+65535, len(body))])
				}
				if _, err := x.Finish(); err != nil {
					b.Fatal(err)
				}
				x.Close()
			}
		})
	}
}

// BenchmarkCorpus examines real messages whole.
func BenchmarkCorpus(b *testing.B) {
	for _, set := range corpusSets {
		b.Run(set, func(b *testing.B) {
			dir, names := corpus(b, set)
			var messages []string
			octets := 0
			for _, name := range names {
				messages = append(messages, mustRead(b, filepath.Join(dir, name)))
				octets += len(messages[len(messages)-1])
			}
			e := mustExaminer(b, Options{}, "!activation 1\n!scan subject body html headers attachments filenames\n1 zzyzx")
			b.ReportAllocs()
			defer perCPU(b, octets)()
			for b.Loop() {
				for _, msg := range messages {
					x := e.Begin(Text | Files | Sums)
					feedMessage(x, msg, 65535)
					if _, err := x.Finish(); err != nil {
						b.Fatal(err)
					}
					x.Close()
				}
			}
		})
	}
}

// BenchmarkUsual examines a message of 8 KiB as most are, with four definitions of 1,000 phrases.
func BenchmarkUsual(b *testing.B) {
	const line = "the quick brown fox jumps over the lazy dog and goes home before dark.\r\n"
	var sources []string
	for all := commonPhrases(4000); len(all) > 0; all = all[1000:] {
		sources = append(sources, "!activation 1000000\n1 "+strings.Join(all[:1000], "\n1 "))
	}
	e := mustExaminer(b, Options{}, sources...)
	for _, c := range []struct{ name, text string }{
		{"one line", strings.Repeat(line, 8192/len(line))},
		{"common words", strings.ReplaceAll(string(commonText(8192)), "\n", "\r\n")},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			defer perCPU(b, len(c.text))()
			for b.Loop() {
				x := e.Begin(Text | Files)
				for range 15 {
					x.Header("Received", "from mail.example.net (mail.example.net [192.0.2.1]) by relay.example.net (Postfix) with ESMTPS id 4BpXyz1Qw3")
				}
				x.Header("Subject", "Minutes of the meeting on Monday and what follows from them")
				x.Header("Content-Type", "text/plain; charset=utf-8; format=flowed")
				x.Body([]byte(c.text))
				if _, err := x.Finish(); err != nil {
					b.Fatal(err)
				}
				x.Close()
			}
		})
	}
}
