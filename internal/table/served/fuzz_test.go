package served

import (
	"bufio"
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"mailweir/internal/table/remote"
)

// against asks once over a connection whose other end has said this, and then nothing more.
func against(p protocol, said, key string) (value string, found, done bool, err error) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	go func() {
		defer theirs.Close()
		drained := make(chan struct{})
		go func() {
			defer close(drained)
			_, _ = bufio.NewReader(theirs).WriteTo(discard{})
		}()
		_, _ = theirs.Write([]byte(said))
		_ = theirs.Close()
		<-drained
	}()
	return p.ask(&connection{Conn: ours, r: bufio.NewReader(ours)}, key)
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// FuzzAnswers has servers say anything: what is found is what a server can have meant, errors are
// one line, and after what is no answer the connection is of no more use.
func FuzzAnswers(f *testing.F) {
	for _, said := range []string{
		"200 a%20b\n", "500 no\n", "400 later\n", "200 %\n", "2", netstring("OK value"), netstring("NOTFOUND "), netstring("TEMP x\ny"), "99999999999:", "3:OK ,5:OK ab,", "",
	} {
		f.Add(said, "user@b.example")
	}
	f.Fuzz(func(t *testing.T, said, key string) {
		for name, p := range map[string]protocol{"socketmap": socketmap{name: "users"}, "tcp": line{}} {
			value, found, done, err := against(p, said, key)
			answered := errors.As(err, new(remote.Answered))
			switch {
			case err != nil && (found || value != ""):
				t.Errorf("%s: %q beside %v", name, value, err)
			case err != nil && !answered && !done:
				t.Errorf("%s: the connection is kept after %v", name, err)
			case found && strings.IndexByte(value, 0) >= 0:
				t.Errorf("%s: a NUL in %q", name, value)
			case found && !strings.Contains(said, "OK") && !strings.Contains(said, "2"):
				t.Errorf("%s: found %q in %q", name, value, said)
			}
			if err != nil && !errors.Is(err, context.Canceled) && (strings.ContainsAny(err.Error(), "\n\r\x1b") || len(err.Error()) > 400) {
				t.Errorf("%s: error %q", name, err)
			}
		}
	})
}

func FuzzQuote(f *testing.F) {
	f.Add("a b%\xff")
	f.Fuzz(func(t *testing.T, key string) {
		quoted := quote(key)
		if strings.ContainsAny(quoted, whiteSpace) {
			t.Errorf("white space in %q", quoted)
		}
		if got, err := unquote(quoted); got != key && strings.IndexByte(key, 0) < 0 {
			t.Errorf("%q became %q, %v", key, got, err)
		}
	})
}
