package spamd

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"mailweir/internal/spamscan"
)

// Bounds of what is read of an answer.
const (
	maxSymbols = 1000
	maxName    = 200
)

// Parse reads an answer to SYMBOLS: a line with a code, header lines, and the names of the rules
// that hit. A code other than 0 (EX_OK of sysexits.h) is no judgement. What ends early is an error.
func Parse(text []byte) (spamscan.Answer, error) {
	head, body, whole := bytes.Cut(text, []byte("\r\n\r\n"))
	first, rest, _ := strings.Cut(string(head), "\r\n")
	code, message, err := status(first)
	switch {
	case err != nil:
		return spamscan.Answer{}, err
	case code != 0:
		return spamscan.Answer{}, &spamscan.AnsweredError{Said: strconv.Itoa(code) + " " + message}
	case !whole:
		return spamscan.Answer{}, errors.New("its answer ends early")
	}
	a, err := judgement(fields(rest, "spam"))
	if err != nil {
		return a, err
	}
	if length, told := fields(rest, "content-length"); told {
		n, err := strconv.Atoi(length)
		if err != nil || n != len(body) {
			return a, fmt.Errorf("its answer has %d octets, not %q", len(body), spamscan.OneLine(length, 20))
		}
	}
	for _, name := range strings.Split(string(body), ",") {
		name = spamscan.OneLine(strings.TrimSpace(name), maxName)
		switch {
		case name == "":
		case len(a.Symbols) == maxSymbols:
			a.Left = []string{"some of the symbols"}
		default:
			a.Symbols = append(a.Symbols, spamscan.Symbol{Name: name, Score: math.NaN()})
		}
	}
	return a, nil
}

// status reads SPAMD/1.1 0 EX_OK.
func status(line string) (code int, message string, err error) {
	version, rest, _ := strings.Cut(line, " ")
	number, message, _ := strings.Cut(rest, " ")
	code, err = strconv.Atoi(number)
	if !strings.HasPrefix(version, "SPAMD/") || err != nil || code < 0 {
		return 0, "", fmt.Errorf("its answer begins with %q: this is no spamd", spamscan.OneLine(line, 100))
	}
	return code, spamscan.OneLine(message, maxName), nil
}

// fields returns the value of a header line.
func fields(head, name string) (value string, ok bool) {
	for line := range strings.SplitSeq(head, "\r\n") {
		key, value, _ := strings.Cut(line, ":")
		if strings.EqualFold(strings.TrimSpace(key), name) {
			return strings.TrimSpace(value), true
		}
	}
	return "", false
}

// judgement reads True ; 1000.0 / 5.0.
func judgement(value string, told bool) (a spamscan.Answer, err error) {
	verdict, numbers, _ := strings.Cut(value, ";")
	score, required, _ := strings.Cut(numbers, "/")
	a.Score, a.Required = number(score), number(required)
	switch strings.ToLower(strings.TrimSpace(verdict)) {
	case "true", "yes":
		a.Action, a.Said = spamscan.Reject, "spam"
	case "false", "no":
		a.Action, a.Said = spamscan.Nothing, "no spam"
	default:
		if !told {
			return a, errors.New("its answer has no line Spam")
		}
		return a, fmt.Errorf("its answer says Spam: %q", spamscan.OneLine(value, 100))
	}
	return a, nil
}

// number reads a score, NaN if it is none.
func number(text string) float64 {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsInf(n, 0) {
		return math.NaN()
	}
	return n
}
