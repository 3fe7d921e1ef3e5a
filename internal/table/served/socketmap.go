package served

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"mailweir/internal/table/remote"
)

// Socketmap is the type of socketmap_table(5): socketmap:inet:HOST:PORT:NAME and
// socketmap:unix:/PATH:NAME.
func Socketmap() remote.Kind {
	return remote.Kind{Name: "socketmap", InFlight: inFlight, WholeKeys: true, Open: openSocketmap}
}

func openSocketmap(s remote.Source) (remote.Driver, error) {
	const want = "inet:HOST:PORT:NAME or unix:/PATH:NAME, where NAME is what the server calls the table"
	colon := strings.LastIndexByte(s.Text, ':')
	if colon < 0 || colon+1 == len(s.Text) {
		return nil, errors.New("want socketmap:" + want)
	}
	network, place, _ := strings.Cut(s.Text[:colon], ":")
	d := &server{protocol: socketmap{name: s.Text[colon+1:]}}
	switch {
	case network == "unix" && strings.HasPrefix(place, "/"):
		d.network, d.address = "unix", place
	case network == "unix":
		return nil, fmt.Errorf("the socket %q is not a whole path; Postfix looks for it below its queue directory, such as /var/spool/postfix/%s", place, place)
	case network == "inet":
		var err error
		if d.address, err = hostPort(place); err != nil {
			return nil, fmt.Errorf("%w; want socketmap:%s", err, want)
		}
		d.network = "tcp"
	default:
		return nil, errors.New("want socketmap:" + want)
	}
	return d, nil
}

// socketmap is the protocol: a netstring "NAME KEY" is answered by one with a status and a text.
type socketmap struct{ name string }

const (
	maxSocketmapReply = 100000
	maxSocketmapQuery = 10000
)

func (p socketmap) ask(c *connection, key string) (value string, found, done bool, err error) {
	if len(key) > maxSocketmapQuery {
		return "", false, false, remote.Answered{Err: fmt.Errorf("the key is longer than %d octets", maxSocketmapQuery)}
	}
	query := p.name + " " + key
	if _, err := fmt.Fprintf(c, "%d:%s,", len(query), query); err != nil {
		return "", false, true, err
	}
	reply, err := readNetstring(c.r, maxSocketmapReply)
	if err != nil {
		return "", false, true, err
	}
	status, text, _ := strings.Cut(reply, " ")
	switch status {
	case "OK":
		if strings.IndexByte(text, 0) >= 0 {
			return "", false, true, errors.New("the value has a NUL octet")
		}
		return text, true, false, nil
	case "NOTFOUND":
		return "", false, false, nil
	case "TEMP", "TIMEOUT", "PERM":
		return "", false, false, remote.Answered{Err: fmt.Errorf("the server says %s: %s", status, shown(text))}
	}
	return "", false, true, fmt.Errorf("unexpected answer %q", shown(reply))
}

// byteReader is what a netstring is read from.
type byteReader interface {
	io.Reader
	io.ByteReader
}

// readNetstring reads LENGTH:DATA, where the data has at most so many octets.
func readNetstring(r byteReader, most int) (string, error) {
	var digits []byte
	for {
		b, err := r.ReadByte()
		if err != nil {
			return "", ended(err)
		}
		if b == ':' {
			break
		}
		if digits = append(digits, b); b < '0' || b > '9' || len(digits) > 10 {
			return "", fmt.Errorf("the answer is no netstring: it begins with %q", shown(string(digits)))
		}
	}
	n, err := strconv.Atoi(string(digits))
	switch {
	case err != nil:
		return "", errors.New("the answer is no netstring: it has no length")
	case n > most:
		return "", fmt.Errorf("the answer is longer than %d octets", most)
	}
	data := make([]byte, n+1)
	if _, err := io.ReadFull(r, data); err != nil {
		return "", ended(err)
	}
	if data[n] != ',' {
		return "", errors.New("the answer is no netstring: there is no comma at its end")
	}
	return string(data[:n]), nil
}

// ended says what it means that there is nothing more.
func ended(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the server has closed the connection in place of an answer")
	}
	return err
}
