package auth

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/netip"
	"strings"
)

// maxLine bounds a line in octets. Postfix lets a response have 12,288.
const maxLine = 16 << 10

var (
	errLine    = errors.New("a line is too long")
	errRequest = errors.New("a request is malformed")
)

// lines reads lines. What a line holds is overwritten when the next is read: it may be a password.
type lines struct {
	in   *bufio.Reader
	last []byte
}

func newLines(r io.Reader) *lines { return &lines{in: bufio.NewReaderSize(r, maxLine)} }

// next returns the next line without its end. It stands until the call after it.
func (l *lines) next() ([]byte, error) {
	l.wipe()
	line, err := l.in.ReadSlice('\n')
	l.last = line
	if errors.Is(err, bufio.ErrBufferFull) {
		err = errLine
	}
	if err != nil {
		l.wipe()
		return nil, err
	}
	return bytes.TrimSuffix(line, []byte("\n")), nil
}

// wipe overwrites the line that was read last.
func (l *lines) wipe() {
	clear(l.last)
	l.last = nil
}

// request is an AUTH of smtpd:
//
//	AUTH TAB ID TAB MECHANISM [TAB NAME[=VALUE] …] [TAB resp=BASE64]
type request struct {
	id        string
	mechanism string
	// params are the parameters as they came, but for the response.
	params []string
	// response is the initial one, in base64; hasResponse tells an empty one from none.
	response    []byte
	hasResponse bool
	// client is the address of the SMTP client (rip), the zero value without one.
	client netip.Addr
}

// parseRequest reads what stands behind "AUTH TAB". The response is part of the line.
func parseRequest(line []byte) (request, error) {
	var r request
	if head, response, found := bytes.Cut(line, []byte("\tresp=")); found {
		line, r.response, r.hasResponse = head, response, true
	}
	fields := strings.Split(string(line), "\t")
	if len(fields) < 2 || !isID(fields[0]) || fields[1] == "" || bytes.IndexByte(r.response, '\t') >= 0 {
		return r, errRequest
	}
	r.id, r.mechanism = fields[0], strings.ToUpper(fields[1])
	for _, p := range fields[2:] {
		if strings.ContainsAny(p, "\r\x00") {
			return r, errRequest
		}
		r.params = append(r.params, p)
		if address, found := strings.CutPrefix(p, "rip="); found {
			client, _ := netip.ParseAddr(address) // an unknown one is nobody
			r.client = client.Unmap().WithZone("")
		}
	}
	return r, nil
}

// isID reports whether it is a number as smtpd counts its requests.
func isID(s string) bool {
	return s != "" && len(s) <= 10 && strings.Trim(s, "0123456789") == ""
}
