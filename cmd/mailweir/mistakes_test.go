package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"mailweir/internal/config"
)

// An error is placed where the value stands that it is about, unless it names a place of its own.
func TestPlaced(t *testing.T) {
	s := resolveAll(config.Origin{
		Given:   config.Given{"sender-block-list": {"/etc/a", "hash:/etc/ab"}, "size-max": {"1MiB"}},
		Environ: []string{"MAILWEIR_HOPS_MAX=3"},
	})
	for text, want := range map[string]string{
		"--hops-max: x":                                     "MAILWEIR_HOPS_MAX: --hops-max: x",
		"MAILWEIR_HOPS_MAX: --hops-max: x":                  "MAILWEIR_HOPS_MAX: --hops-max: x",
		"--size-max: x":                                     "--size-max: x",
		"--rcpt-limit-max is more than --hops-max":          "MAILWEIR_HOPS_MAX: --rcpt-limit-max is more than --hops-max",
		"/etc/ab:3: --hops-max: x":                          "/etc/ab:3: --hops-max: x",
		"--greylist-delay: x":                               "--greylist-delay: x",
		"--no-such-flag: x":                                 "--no-such-flag: x",
		"no resolver":                                       "no resolver",
		"--sender-block-list: table hash:/etc/ab: no entry": "--sender-block-list: table hash:/etc/ab: no entry",
	} {
		if got := s.placedAll(errors.New(text)).Error(); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	wrapped := &exitError{exNoPerm, errors.New("--hops-max: x")}
	if err := s.placedAll(errors.Join(wrapped, errors.New("y"))); !errors.As(err, new(*exitError)) || err.Error() != "MAILWEIR_HOPS_MAX: --hops-max: x\ny" {
		t.Errorf("%v", err)
	}
}

func TestValueIn(t *testing.T) {
	values := []string{"/etc/a", "hash:/etc/ab", "/etc/abc"}
	for text, want := range map[string]int{
		"/etc/a:1: x": 0, "/etc/ab:1: x": 1, "table hash:/etc/ab: x": 1, "/etc/abc:1: x": 2, "/etc/d: x": -1,
	} {
		if got := valueIn(values, text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestLeaves(t *testing.T) {
	a, b, c := errors.New("a"), errors.New("b"), errors.New("c")
	one := fmt.Errorf("%w, because of %w", a, b)
	var got []string
	for _, err := range leaves(errors.Join(errors.Join(a, nil), one, errors.Join(b, c))) {
		got = append(got, err.Error())
	}
	if want := "a; a, because of b; b; c"; strings.Join(got, "; ") != want {
		t.Errorf("%q, want %q", got, want)
	}
	if leaves(nil) != nil {
		t.Error("of no error")
	}
}

// A look that always finds something ends all the same.
func TestMistakesEnd(t *testing.T) {
	s := resolveAll(config.Origin{Given: config.Given{"hops-max": {"3"}}})
	n := 0
	err := s.mistakes(errors.New("--hops-max: x"), func(*settings) error { n++; return fmt.Errorf("--size-max: %d", n) })
	if want := "--hops-max: x\n--size-max: 1"; err.Error() != want {
		t.Errorf("%q after %d looks, want %q", err, n, want)
	}
}
