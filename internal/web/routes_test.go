package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"mailweir/internal/admin"
	"mailweir/internal/policy"
	"mailweir/internal/web/door"
	"mailweir/internal/web/view"
)

// wanted says who may ask for what: the initials of Admin, Helpdesk, auDitor (d), User; in capitals
// also those of them whose remit is some domains; "*" for everybody, also before a login. A route
// that is not here makes the test fail, and so does an entry without its route.
var wanted = map[string]string{
	"GET " + view.Assets: "*",
	"GET /login":         "*",
	"POST /login":        "*",
	"POST /logout":       "*",

	"GET /{$}": "AHDU",

	"GET /search":                     "AHD",
	"GET /rejections":                 "AHD",
	"GET /rejections/live":            "AHD",
	"GET /rejections.csv":             "AHD",
	"GET /rejections.jsonl":           "AHD",
	"GET /decision/{id}":              "AHD",
	"POST /decision/{id}/do":          "AH",
	"GET /message/{session}/{number}": "AHD",
	"GET /mine":                       "U",
	"GET /mine/{id}":                  "U",
	"POST /mine/{id}/wanted":          "U",
	"POST /entries":                   "U",
	"GET /state":                      "AHD",
	"GET /state/{group}":              "AHD",
	"GET /state/{group}/{verb}":       "AH",
	"POST /state/{group}/{verb}":      "AH",
	"GET /explain":                    "ahd",
	"POST /explain":                   "ahd",
	"GET /policy":                     "ahd",
	"GET /settings":                   "ahd",
	"POST /policy/check":              "a",
	"POST /policy/reload":             "a",
	"GET /audit":                      "ahd",
	"GET /would":                      "ahd",
}

// visitors are those who ask, by the letter that lets them in.
var visitors = []struct{ letter, login, value string }{
	{"a", "anna", "admin"},
	{"A", "adam", "admin:example.org"},
	{"h", "hugo", "helpdesk"},
	{"H", "hans", "helpdesk:example.org"},
	{"d", "dora", "auditor"},
	{"D", "dirk", "auditor:example.org"},
	{"U", "ute", "user:ute@example.org"},
	{"*", "", ""},
}

// lets reports whether an entry of wanted lets a letter in: capitals let both in.
func lets(entry, letter string) bool {
	return entry == "*" || strings.Contains(entry, letter) || strings.Contains(entry, strings.ToUpper(letter))
}

var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

// Every visitor asks for every URL by every method, at a real door behind which everything answers.
func TestRoutes(t *testing.T) {
	routes := New(Parts{}).Routes()
	answers := func(w http.ResponseWriter, _ *http.Request, _ policy.Person) { w.WriteHeader(http.StatusTeapot) }
	paths := map[string]bool{}
	known := []string{"GET /login", "POST /login", "POST /logout"}
	for i := range routes {
		routes[i].Handle = answers
		if _, found := wanted[routes[i].Pattern]; !found {
			t.Errorf("nobody has said who may %s", routes[i].Pattern)
		}
		method, path, found := strings.Cut(routes[i].Pattern, " ")
		if !found || method != http.MethodGet && method != http.MethodPost {
			t.Errorf("%q is neither of GET nor of POST alone", routes[i].Pattern)
		}
		paths[path] = true
		known = append(known, routes[i].Pattern)
	}
	for pattern := range wanted {
		if !slices.Contains(known, pattern) {
			t.Errorf("there is no route %s", pattern)
		}
	}
	ask := startDoor(t, routes)
	for path := range paths {
		url := strings.TrimSuffix(placeholder.ReplaceAllString(path, "x1"), "{$}")
		for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH"} {
			for _, v := range visitors {
				want := http.StatusMethodNotAllowed
				if entry, found := entryFor(method, path); found {
					switch {
					case lets(entry, v.letter):
						want = http.StatusTeapot
					case v.letter == "*" && method == "GET":
						want = http.StatusSeeOther
					case v.letter == "*":
						want = http.StatusUnauthorized
					default:
						want = http.StatusForbidden
					}
				}
				if got := ask(v.login, method, url); got != want {
					t.Errorf("%q: %s %s: %d, want %d", v.login, method, url, got, want)
				}
			}
		}
	}
}

// entryFor is what is wanted of a path by a method: its own entry, or that of a wider pattern.
func entryFor(method, path string) (entry string, found bool) {
	if entry, found = wanted[method+" "+path]; found {
		return entry, true
	}
	for pattern, entry := range wanted {
		if strings.Contains(pattern, "{") && regexp.MustCompile("^"+placeholder.ReplaceAllString(pattern, "[^/{]+")+"$").MatchString(method+" "+path) {
			return entry, true
		}
	}
	return "", false
}

// startDoor opens a door whose proxy says who asks.
func startDoor(t *testing.T, routes []door.Route) (ask func(login, method, path string) int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	roles := func(_ context.Context, key string) (string, bool, error) {
		for _, v := range visitors {
			if v.login == key {
				return v.value, true, nil
			}
		}
		return "", false, nil
	}
	s := door.New(door.Options{
		Listener: l, Routes: routes, Pages: New(Parts{}).Door(), Clock: time.Now, Defect: func(err error) { t.Error(err) }, Trouble: func(err error) { t.Error(err) },
		Audit: func(admin.Record) {},
		Identity: door.Identity{
			Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Header: "X-Remote-User", Roles: &door.Roles{Role: roles},
			Password: func(context.Context, string, []byte, netip.Addr) (string, bool, error) {
				return "", false, errors.New("nobody knows")
			},
		},
	})
	s.Start(func(err error) { t.Error(err) })
	client := &http.Client{
		Transport:     &http.Transport{},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		s.Stop(ctx)
	})
	return func(login, method, path string) int {
		request, err := http.NewRequestWithContext(t.Context(), method, fmt.Sprintf("http://%s%s", l.Addr(), path), nil)
		if err != nil {
			t.Fatal(err)
		}
		if login != "" {
			request.Header.Set("X-Remote-User", login)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		_, _ = io.Copy(io.Discard, response.Body)
		return response.StatusCode
	}
}
