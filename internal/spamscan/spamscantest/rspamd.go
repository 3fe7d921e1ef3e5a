// Package spamscantest has a scanner that says what a test wants.
package spamscantest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Rspamd is a server that speaks as rspamd's normal worker does.
type Rspamd struct {
	// Scanner is the value for --spam-scanner.
	Scanner string

	mu     sync.Mutex
	answer string
	asked  []Asked
}

// Asked is what was asked about one message.
type Asked struct {
	Header map[string][]string
	Body   string
}

// NewRspamd returns a server that answers with this JSON until the test ends. No answer at all
// closes the connection.
func NewRspamd(t *testing.T, answer string) *Rspamd {
	t.Helper()
	r := &Rspamd{answer: answer}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.Scanner = "rspamd:" + server.URL
	return r
}

// Answers changes the answer.
func (r *Rspamd) Answers(answer string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

// Taken returns what has been asked since it was called last.
func (r *Rspamd) Taken() []Asked {
	r.mu.Lock()
	defer r.mu.Unlock()
	asked := r.asked
	r.asked = nil
	return asked
}

// ServeHTTP answers one request.
func (r *Rspamd) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if request.URL.Path == "/ping" {
		_, _ = io.WriteString(w, "pong\r\n")
		return
	}
	body, err := io.ReadAll(request.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.asked = append(r.asked, Asked{request.Header, string(body)})
	}
	if r.answer == "" {
		panic(http.ErrAbortHandler)
	}
	_, _ = io.WriteString(w, r.answer)
}
