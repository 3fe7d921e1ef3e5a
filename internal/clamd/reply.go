package clamd

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Kind is what clamd says of a message.
type Kind uint8

const (
	// Clean: no signature matches what it was shown.
	Clean Kind = iota
	// Infected: a signature matches, be it of a virus or of what clamd is configured to take for
	// one.
	Infected
	// Limited: it has a part that reaches a limit of clamd's own and was not scanned
	// (AlertExceedsMax).
	Limited
	// Encrypted: it has a part that clamd cannot look into (AlertEncrypted).
	Encrypted
	// Broken: it has a program or a picture that is damaged (AlertBrokenExecutables,
	// AlertBrokenMedia).
	Broken
)

var kindNames = [...]string{"clean", "infected", "oversize", "encrypted", "broken"}

// String returns the kind as the metrics have it.
func (k Kind) String() string { return kindNames[k] }

// heuristics are the names of findings that are no virus, by how they begin. All others that begin
// with "Heuristics." are one, because clamd was told so.
var heuristics = []struct {
	prefix string
	kind   Kind
}{
	{"Heuristics.Limits.Exceeded", Limited},
	{"Heuristics.Encrypted", Encrypted},
	{"Heuristics.Broken", Broken},
}

// errSizeLimit is clamd's answer to a message that is larger than its StreamMaxLength.
var errSizeLimit = errors.New("the message is larger than its StreamMaxLength")

// A ReplyError is an answer by which clamd says that it could not scan, or that is none.
type ReplyError struct{ Text string }

func (e *ReplyError) Error() string { return "clamd answers " + strconv.QuoteToASCII(e.Text) }

// verdict is an answer to INSTREAM.
type verdict struct {
	kind Kind
	name string // of the signature, "" for Clean
}

// details are what clamd adds to a name under ExtendedDetectionInfo: digest and size of the file.
var details = regexp.MustCompile(`\([0-9A-Fa-f]*:[0-9]+\)$`)

// parseReply reads an answer to INSTREAM, without its end. Only what clamd is known to say of a
// message that it has scanned counts; all else is an error, and never "clean".
func parseReply(line string) (verdict, error) {
	text, isResult := strings.CutPrefix(line, "stream: ")
	switch {
	case isResult && text == "OK":
		return verdict{}, nil
	case strings.HasPrefix(line, "INSTREAM size limit exceeded"):
		return verdict{}, errSizeLimit
	}
	name, found := strings.CutSuffix(text, " FOUND")
	name = strings.TrimSpace(details.ReplaceAllString(name, ""))
	switch {
	case !isResult || !found:
		return verdict{}, &ReplyError{line}
	case name == "" || name == "(null)":
		// Known of clamd short of memory: nobody could explain a refusal for it.
		return verdict{}, fmt.Errorf("a signature without a name: %w", &ReplyError{line})
	}
	for _, h := range heuristics {
		if rest, ok := strings.CutPrefix(name, h.prefix); ok && (rest == "" || rest[0] == '.') {
			return verdict{h.kind, name}, nil
		}
	}
	return verdict{Infected, name}, nil
}

// threads matches what STATS says of them.
var threads = regexp.MustCompile(`(?m)^THREADS: .*\bmax ([0-9]+)\b`)

// parseThreads reads how many threads clamd has, from its answer to STATS; 0 where it does not say.
// Several pools have as many together.
func parseThreads(stats string) (n int) {
	for _, m := range threads.FindAllStringSubmatch(stats, -1) {
		if max, err := strconv.Atoi(m[1]); err == nil && max < 1<<16 {
			n += max
		}
	}
	return n
}
