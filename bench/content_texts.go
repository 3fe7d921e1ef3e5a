package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"mailweir/test/wire"
)

// contentText is a text to examine, in one piece and as messages, and words to look for in it.
type contentText struct {
	name    string
	body    []byte
	letters []letter
	words   []string
}

const contentTextSize = 1 << 20

// wantedMail is the name of the text from a corpus.
const wantedMail = "wanted mail"

// contentTexts are real wanted mail and text of the commonest words only, which is the worst for an
// index of words. Without a corpus (MAILWEIR_CORPUS names its directory) there is only the latter.
func contentTexts(dir string) ([2]contentText, error) {
	common := contentText{name: "common words", body: commonText(contentTextSize), words: commonWords}
	for at := 0; at < len(common.body); at += bodySize {
		common.letters = append(common.letters, letter{Fields: fields(), Body: string(common.body[at:min(at+bodySize, len(common.body))])})
	}
	home := os.Getenv("MAILWEIR_CORPUS")
	if home == "" {
		common.name += ", no corpus"
		return [2]contentText{common, common}, nil
	}
	if out, err := exec.Command("tar", "-xJf", filepath.Join(home, "easy_ham.tar.xz"), "-C", dir).CombinedOutput(); err != nil {
		return [2]contentText{}, fmt.Errorf("%w: %s", err, out)
	}
	files, err := filepath.Glob(filepath.Join(dir, "easy_ham", "*"))
	if err != nil {
		return [2]contentText{}, err
	}
	ham := contentText{name: wantedMail}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return [2]contentText{}, err
		}
		l := wire.ParseLetter(string(data))
		ham.letters = append(ham.letters, l)
		ham.body = append(ham.body, l.Body...)
		if len(ham.body) > contentTextSize {
			break
		}
	}
	ham.words = vocabulary(ham.body)
	return [2]contentText{ham, common}, nil
}

// vocabulary is the words of a text of four letters or more, each once.
func vocabulary(text []byte) []string {
	var words []string
	seen := map[string]bool{}
	for _, word := range regexp.MustCompile(`\b[a-z]{4,}\b`).FindAllString(strings.ToLower(string(text)), -1) {
		if !seen[word] {
			seen[word] = true
			words = append(words, word)
		}
	}
	return words
}

// commonWords are the words that English texts are made of.
var commonWords = regexp.MustCompile(`\s+`).Split(`the of and to in a is that it was for on are as with his they at be this from have or by one had not but
what all were when we there can an your which their said if do will each about how up out them then she many some so these
would other into has more her two like him see time could no make than first been its who now people my made over did down
only way find use may water long little very after words called just where most know`, -1)

func commonText(size int) []byte {
	random := rand.New(rand.NewPCG(3, 4))
	var b strings.Builder
	for line := 0; b.Len() < size; line++ {
		b.WriteString(commonWords[random.IntN(len(commonWords))])
		if line%12 == 11 {
			b.WriteString("\r\n")
		} else {
			b.WriteByte(' ')
		}
	}
	return []byte(b.String())
}

// phrases makes n entries of four common words: nearly every word of a text begins one, and few are
// ever whole.
func phrases(n int, words []string) []string {
	random := rand.New(rand.NewPCG(7, 8))
	out := make([]string, n)
	for i := range out {
		var phrase []string
		for range 4 {
			phrase = append(phrase, words[random.IntN(len(words))])
		}
		out[i] = strings.Join(phrase, " ")
	}
	return out
}

// gaps makes n patterns of two words with up to 20 characters between.
func gaps(n int, words []string) []string {
	random := rand.New(rand.NewPCG(9, 10))
	out := make([]string, n)
	for i := range out {
		out[i] = words[random.IntN(len(words))] + ".{0,20}" + words[random.IntN(len(words))]
	}
	return out
}
