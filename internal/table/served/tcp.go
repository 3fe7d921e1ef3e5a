package served

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"mailweir/internal/table/remote"
)

// TCP is the type of tcp_table(5): tcp:HOST:PORT.
func TCP() remote.Kind {
	return remote.Kind{Name: "tcp", InFlight: inFlight, WholeKeys: true, Open: openTCP}
}

func openTCP(s remote.Source) (remote.Driver, error) {
	address, err := hostPort(s.Text)
	if err != nil {
		return nil, fmt.Errorf("%w; want tcp:HOST:PORT", err)
	}
	return &server{protocol: line{}, network: "tcp", address: address}, nil
}

// line is the protocol: a line "get KEY" is answered by one with a code and a text.
type line struct{}

// maxLine bounds a line of the server, its end included.
const maxLine = 4096

func (line) ask(c *connection, key string) (value string, found, done bool, err error) {
	if _, err := io.WriteString(c, "get "+quote(key)+"\n"); err != nil {
		return "", false, true, err
	}
	reply, err := readLine(c.r, maxLine)
	if err != nil {
		return "", false, true, err
	}
	if len(reply) < 4 || strings.Trim(reply[:3], "0123456789") != "" || strings.IndexByte(whiteSpace, reply[3]) < 0 {
		return "", false, true, fmt.Errorf("unexpected answer %q", shown(reply))
	}
	text, err := unquote(reply[4:])
	if err != nil {
		return "", false, true, fmt.Errorf("unexpected answer %q: %w", shown(reply), err)
	}
	switch reply[0] {
	case '2':
		return text, true, false, nil
	case '5':
		return "", false, false, nil
	case '4':
		return "", false, true, remote.Answered{Err: fmt.Errorf("the server says %s", shown(reply))}
	}
	return "", false, true, fmt.Errorf("unexpected answer %q", shown(reply))
}

// whiteSpace is isspace(3) of the C locale.
const whiteSpace = " \t\n\v\f\r"

// readLine reads a line, which comes without its end.
func readLine(r io.ByteReader, most int) (string, error) {
	var text []byte
	for range most {
		b, err := r.ReadByte()
		if err != nil {
			return "", ended(err)
		}
		if b == '\n' {
			return string(text), nil
		}
		text = append(text, b)
	}
	return "", fmt.Errorf("the answer is longer than %d octets", most)
}

// quote writes what is no printable ASCII as %XX.
func quote(key string) string {
	var b strings.Builder
	for i := range len(key) {
		if c := key[i]; c <= ' ' || c >= 0x7f || c == '%' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// unquote reads %XX.
func unquote(text string) (string, error) {
	raw := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '%' {
			if i+2 >= len(text) {
				return "", errors.New("a % is not followed by two hexadecimal digits")
			}
			high, low := hexDigit(text[i+1]), hexDigit(text[i+2])
			if high < 0 || low < 0 {
				return "", errors.New("a % is not followed by two hexadecimal digits")
			}
			c = byte(high<<4 | low)
			i += 2
		}
		if c == 0 {
			return "", errors.New("it has a NUL octet")
		}
		raw = append(raw, c)
	}
	return string(raw), nil
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
