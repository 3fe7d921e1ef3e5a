package milter

import (
	"bytes"
	"math"
	"strconv"
	"strings"

	"mailweir/internal/policy"
)

// cstring cuts a NUL-terminated string off data. Without a NUL all of data is the string.
func cstring(data []byte) (s, rest []byte) {
	s, rest, _ = bytes.Cut(data, []byte{0})
	return s, rest
}

// macros are the name and value pairs of one macro packet, as on the wire: name NUL value NUL …
type macros []byte

// get returns the value of a macro, "" when the MTA has not sent it. MTAs leave out what has no
// value.
func (m macros) get(name string) string {
	for len(m) > 0 {
		var key, value []byte
		key, m = cstring(m)
		value, m = cstring(m)
		if string(key) == name {
			return string(value)
		}
	}
	return ""
}

// path takes the angle brackets off an address. Mail that was not submitted by SMTP comes without
// them.
func path(spelling string) string {
	inner, opened := strings.CutPrefix(spelling, "<")
	if inner, closed := strings.CutSuffix(inner, ">"); opened && closed {
		return inner
	}
	return spelling
}

// mailArguments reads the ESMTP arguments of MAIL, which follow the address, each with its NUL.
// Keywords are case-insensitive (RFC 5321 section 2.4).
func mailArguments(args []byte, facts *policy.MailFacts) {
	for len(args) > 0 {
		var arg []byte
		arg, args = cstring(args)
		keyword, value, _ := bytes.Cut(arg, []byte{'='})
		switch {
		case bytes.EqualFold(keyword, []byte("SIZE")):
			facts.Size = declaredSize(string(value))
		case bytes.EqualFold(keyword, []byte("SMTPUTF8")):
			facts.SMTPUTF8 = true
		}
	}
}

// declaredSize reads the value of SIZE=: 1 to 20 digits (RFC 1870 section 5). It is -1 when
// unreadable; what exceeds an int64 is as large as one can be.
func declaredSize(value string) int64 {
	if len(value) == 0 || len(value) > 20 || strings.Trim(value, "0123456789") != "" {
		return -1
	}
	size, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return math.MaxInt64
	}
	return size
}
