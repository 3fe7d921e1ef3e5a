package state

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailweir/test/testbed"
)

func TestRedisLetsIn(t *testing.T) {
	server := testbed.StartRedis(t, "--requirepass", "right")
	spec := "redis://" + server.Address
	password := func(word string) string {
		name := filepath.Join(t.TempDir(), "password")
		if err := os.WriteFile(name, []byte(word+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return "?password-file=" + name
	}
	for name, bad := range map[string]string{"no password": spec, "wrong password": spec + password("wrong")} {
		if _, err := OpenRedis(t.Context(), bad, Options{}); err == nil || errors.Is(err, ErrDown) {
			t.Errorf("%s: %v", name, err)
		}
	}
	now := password("right")
	h := newHost(t, spec+now, nil)
	put(t, h, "a|k", "x", 0)
	put(t, newHost(t, spec+password("right")+"&user=default", nil), "a|k", "x", 0)
	other, err := h.client()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(strings.TrimPrefix(now, "?password-file="), []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, words := range [][]string{{"CONFIG", "SET", "requirepass", "new"}, {"CLIENT", "KILL", "TYPE", "pubsub", "SKIPME", "no"}} {
		_ = other.Do(t.Context(), other.B().Arbitrary(words...).Build()).Error() // the last ends its own connection
	}
	if _, _, err := h.Get(t.Context(), "a|k"); !errors.Is(err, ErrDown) {
		t.Errorf("with a password that was changed: %v", err)
	}
	wait(t, "the new password is read", h.up)
	wantValue(t, h, "a|k", "x")
}

func TestRedisOfNewerProgram(t *testing.T) {
	server := testbed.StartRedis(t)
	if _, err := server.Ask("SET", "{mailweir:0}schema:", "99"); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenRedis(t.Context(), "redis://"+server.Address, Options{}); !errors.Is(err, ErrNewer) {
		t.Errorf("opens with %v", err)
	}
}

func TestRedisNames(t *testing.T) {
	for spec, want := range map[string]string{
		"redis://":                                      `"" is not HOST:PORT`,
		"redis://host":                                  `"host" is not HOST:PORT`,
		"redis://:secret@host:1":                        "put it in a file",
		"redis://host:1/x":                              "/x is not the number of a database",
		"redis://host:1?colour=red":                     "colour= is not known",
		"redis://host:1?cluster=yes&master=m":           "it cannot be both",
		"redis://a:1,b:2/3":                             "a cluster has no database but 0",
		"redis://host:1?cluster=no":                     "cluster=no is not cluster=yes",
		"redis://host:1?password-file=/nonexistent":     "no such file",
		"redis://host:1?ca-file=/dev/null":              "no certificate",
		"redis://host:1?user=x":                         "user= needs password-file=",
		"redis://host:1?prefix={x}":                     "no braces",
		"redis://host:1?prefix=x@net":                   "a prefix that ends in @net would name the memory of place=net",
		"redis://:secret@host:1?prefix=x@net":           "put it in a file",
		"redis://host:1?prefix=x%40net&place=net":       "a prefix that ends in @net",
		"redis://host:1?place=sender":                   "place=sender is not place=net",
		"rediss://host:1?sentinel-password-file=/dev/x": "no such file",
		"redis://host:1?password-file=/dev/null":        "the password is empty",
	} {
		_, err := parseRedis(spec)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "write redis://") {
			t.Errorf("%s: %v; want %q", spec, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error shows the password: %v", spec, err)
		}
	}
}
