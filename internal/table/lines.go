package table

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// maxLine bounds one logical line. Postfix has no bound but memory; nothing that is meant needs a
// MiB.
const maxLine = 1 << 20

// Error is an error in a table, with the place of it.
type Error struct {
	Place string // file, or TYPE:SOURCE of a table that has none
	Line  int    // 0 where there are no lines
	Err   error
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Place + ": " + e.Err.Error()
	}
	return fmt.Sprintf("%s:%d: %s", e.Place, e.Line, e.Err)
}

// Of returns err, which may be an [Error], with the flag that it is about. A place stays in front,
// so that the whole still reads FILE:LINE: message.
func Of(flag string, err error) error {
	var place *Error
	if errors.As(err, &place) {
		return &Error{Place: place.Place, Line: place.Line, Err: fmt.Errorf("--%s: %w", flag, place.Err)}
	}
	return fmt.Errorf("--%s: %w", flag, err)
}

func (e *Error) Unwrap() error { return e.Err }

// ReadLines calls f for each logical line and the number of its first physical line, by the rules
// of all Postfix tables: empty lines and those whose first character is "#" are nothing, even
// between the parts of a line; a line that begins with white space continues the one before. Lines
// come without trailing white space.
func ReadLines(r io.Reader, f func(line int, text string) error) error {
	l := lineReader{r: bufio.NewReaderSize(r, 64<<10), f: f}
	for n := 1; ; n++ {
		physical, err := l.r.ReadSlice('\n')
		for err == bufio.ErrBufferFull {
			l.long = append(l.long, physical...)
			if len(l.long) > maxLine {
				return &Error{Line: n, Err: errTooLong}
			}
			physical, err = l.r.ReadSlice('\n')
		}
		if len(l.long) > 0 {
			physical = append(l.long, physical...)
			l.long = l.long[:0]
		}
		if lineErr := l.physical(n, physical); lineErr != nil {
			return lineErr
		}
		if err == io.EOF {
			return l.flush()
		}
		if err != nil {
			return err
		}
	}
}

type lineReader struct {
	r     *bufio.Reader
	f     func(line int, text string) error
	long  []byte // a physical line that is longer than the reader's buffer
	text  []byte // the logical line so far
	start int
}

var errTooLong = errors.New("the line is longer than 1 MiB")

func (l *lineReader) physical(n int, text []byte) error {
	trimmed := bytes.TrimLeft(text, whiteSpace)
	if len(trimmed) == 0 || trimmed[0] == '#' {
		return nil
	}
	if bytes.IndexByte(text, 0) >= 0 {
		return &Error{Line: n, Err: errors.New("the line has a NUL octet")}
	}
	if len(trimmed) < len(text) && strings.IndexByte(whiteSpace, text[0]) >= 0 {
		if l.start == 0 {
			return &Error{Line: n, Err: errors.New("the line begins with white space, and there is none before that it could continue")}
		}
		if len(l.text)+len(text) > maxLine {
			return &Error{Line: n, Err: errTooLong}
		}
		l.text = append(bytes.TrimSuffix(l.text, []byte("\n")), text...)
		return nil
	}
	if err := l.flush(); err != nil {
		return err
	}
	l.text, l.start = append(l.text[:0], text...), n
	return nil
}

func (l *lineReader) flush() error {
	if l.start == 0 {
		return nil
	}
	text := bytes.TrimRight(l.text, whiteSpace)
	if !utf8.Valid(text) {
		return &Error{Line: l.start, Err: errors.New("the line is not UTF-8")}
	}
	if err := l.f(l.start, string(text)); err != nil {
		return &Error{Line: l.start, Err: err}
	}
	return nil
}

// whiteSpace is isspace(3) of the C locale.
const whiteSpace = " \t\n\v\f\r"

func validKey(key string) bool { return key != "" && utf8.ValidString(key) }
