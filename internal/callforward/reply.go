package callforward

import (
	"bufio"
	"errors"
	"fmt"
	"strings"
)

// The bounds of one reply. RFC 5321 section 4.5.3.1.5 allows 512 octets a line; servers write more.
const (
	maxLine  = 2048
	maxLines = 64
)

// reply is a reply of SMTP or LMTP (RFC 5321 section 4.2).
type reply struct {
	code  int
	lines []string // what follows the code and its separator
}

var (
	errLine    = fmt.Errorf("a line of its reply is longer than %d octets", maxLine)
	errLines   = fmt.Errorf("its reply has more than %d lines", maxLines)
	errCode    = errors.New("a line of its reply does not begin with a reply code")
	errMixed   = errors.New("the lines of its reply have different codes")
	errControl = errors.New("its reply has a control character")
)

// readReply reads one reply. What it cannot read leaves the connection of no use.
func readReply(in *bufio.Reader) (reply, error) {
	var r reply
	for {
		line, err := readLine(in)
		if err != nil {
			return reply{}, err
		}
		code, text, last, err := splitLine(line)
		switch {
		case err != nil:
			return reply{}, err
		case len(r.lines) > 0 && code != r.code:
			return reply{}, errMixed
		}
		r.code, r.lines = code, append(r.lines, text)
		if last {
			return r, nil
		}
		if len(r.lines) == maxLines {
			return reply{}, errLines
		}
	}
}

// readLine reads up to the line end, which some servers write without its CR.
func readLine(in *bufio.Reader) (string, error) {
	line, err := in.ReadSlice('\n') // the reader's buffer is maxLine long
	if errors.Is(err, bufio.ErrBufferFull) {
		return "", errLine
	}
	if err != nil {
		return "", err
	}
	text := strings.TrimSuffix(string(line[:len(line)-1]), "\r")
	if strings.ContainsFunc(text, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
		return "", errControl
	}
	return text, nil
}

func splitLine(line string) (code int, text string, last bool, err error) {
	if len(line) < 3 || line[0] < '2' || line[0] > '5' || !digit(line[1]) || !digit(line[2]) {
		return 0, "", false, errCode
	}
	code = int(line[0]-'0')*100 + int(line[1]-'0')*10 + int(line[2]-'0')
	if len(line) == 3 {
		return code, "", true, nil
	}
	if line[3] != ' ' && line[3] != '-' {
		return 0, "", false, errCode
	}
	return code, line[4:], line[3] == ' ', nil
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// positive says that the server did what it was asked to (RFC 5321 section 4.2.1).
func (r reply) positive() bool { return r.code/100 == 2 }

// String is the reply in one printable line.
func (r reply) String() string {
	text := fmt.Sprintf("%03d %s", r.code, strings.Join(r.lines, " "))
	return printable(strings.TrimSpace(text))
}

// maxSaid bounds what is shown of a server's words.
const maxSaid = 200

// printable cuts a text short and takes out what no log should hold.
func printable(s string) string {
	if len(s) > maxSaid {
		s = s[:maxSaid] + "…"
	}
	return strings.Map(func(c rune) rune {
		if c < ' ' || 0x7f <= c && c < 0xa0 || c == 0x2028 || c == 0x2029 {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(s, "?"))
}
