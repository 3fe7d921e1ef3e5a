package table

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"unicode/utf8"
)

// maxLine bounds one logical line. Postfix has no bound but memory; nothing that is meant needs a
// MiB.
const maxLine = 1 << 20

// ReadLines calls f for each logical line and the number of its first physical line, by the rules
// of all Postfix tables: empty lines and those whose first character is "#" are nothing, even
// between the parts of a line; a line that begins with white space continues the one before. Lines
// come without trailing white space.
//
// It ends with the first error.
func ReadLines(r io.Reader, f func(line int, text string) error) error {
	return readLines(r, f, func(e *Error) error { return e })
}

// readEntries reads the lines of a table. What is wrong with one of them keeps none of the others
// from being read, so that an administrator sees all of it at once: see [Errors].
func readEntries(r io.Reader, f func(line int, text string) error) error {
	var faults Errors
	err := readLines(r, f, func(e *Error) error { faults.add(e); return nil })
	var last *Error
	switch {
	case errors.As(err, &last):
		faults.add(last)
	case err != nil:
		return err
	}
	return faults.orNil()
}

func readLines(r io.Reader, f func(line int, text string) error, wrong func(*Error) error) error {
	l := lineReader{r: bufio.NewReaderSize(r, 64<<10), f: f, wrong: wrong}
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
	wrong func(*Error) error // what becomes of an error in one line
	long  []byte             // a physical line that is longer than the reader's buffer
	text  []byte             // the logical line so far
	start int
}

var errTooLong = errors.New("the line is longer than 1 MiB")

func (l *lineReader) physical(n int, text []byte) error {
	trimmed := trimLeft(text)
	if len(trimmed) == 0 || trimmed[0] == '#' {
		return nil
	}
	if bytes.IndexByte(text, 0) >= 0 {
		return l.wrong(&Error{Line: n, Err: errors.New("the line has a NUL octet")})
	}
	if len(trimmed) < len(text) {
		if l.start == 0 {
			return l.wrong(&Error{Line: n, Err: errors.New("the line begins with white space, and there is none before that it could continue")})
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
	text := trimRight(l.text)
	if !utf8.Valid(text) {
		return l.wrong(&Error{Line: l.start, Err: errors.New("the line is not UTF-8")})
	}
	if err := l.f(l.start, string(text)); err != nil {
		return l.wrong(&Error{Line: l.start, Err: err})
	}
	return nil
}

// whiteSpace is isspace(3) of the C locale.
const whiteSpace = " \t\n\v\f\r"

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// trimLeft, trimRight and trim take white space off. The functions of the standard library make a
// set of it for each of a million lines.
func trimLeft[T string | []byte](text T) T {
	i := 0
	for i < len(text) && isSpace(text[i]) {
		i++
	}
	return text[i:]
}

func trimRight[T string | []byte](text T) T {
	i := len(text)
	for i > 0 && isSpace(text[i-1]) {
		i--
	}
	return text[:i]
}

func trim(text string) string { return trimLeft(trimRight(text)) }

func validKey(key string) bool { return key != "" && utf8.ValidString(key) }
