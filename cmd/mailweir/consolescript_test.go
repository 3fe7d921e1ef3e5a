package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

var consoleAt = regexp.MustCompile(` console="?([^" ]+)`)

// visit is "visit STATUS METHOD PATH [NAME=VALUE...]": asks the daemon's console as a browser that
// keeps its cookie, and writes to the file "page" what it says, and where it leads.
func visit(ts *testscript.TestScript, _ bool, args []string) {
	d := *theDaemon(ts)
	at := consoleAt.FindStringSubmatch(d.ready)
	if at == nil {
		ts.Fatalf("the log has not said where the console is")
	}
	network, address := "tcp", at[1]
	if path, found := strings.CutPrefix(address, "unix:"); found {
		network, address = "unix", path
	}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}
	defer transport.CloseIdleConnections()
	client := http.Client{
		Transport: transport, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	form := url.Values{}
	for _, field := range args[3:] {
		name, value, _ := strings.Cut(field, "=")
		form.Add(name, value)
	}
	request, err := http.NewRequest(args[1], "http://localhost"+args[2], strings.NewReader(form.Encode()))
	ts.Check(err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if cookie := ts.Getenv("COOKIE"); cookie != "" {
		request.Header.Set("Cookie", cookie)
	}
	answer, err := client.Do(request)
	ts.Check(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	ts.Check(err)
	for _, c := range answer.Cookies() {
		ts.Setenv("COOKIE", c.Name+"="+c.Value)
	}
	page := "leads to " + answer.Header.Get("Location") + "\n" + string(body)
	ts.Check(os.WriteFile(ts.MkAbs("page"), []byte(page), 0o600))
	if got := strconv.Itoa(answer.StatusCode); got != args[0] {
		ts.Fatalf("%s %s is answered with %s, want %s: %.300s", args[1], args[2], got, args[0], page)
	}
}
