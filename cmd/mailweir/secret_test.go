package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A password that somebody has put where none belongs is not printed: what commands say is sent to
// others who are asked for help.
func TestNoPasswordIsPrinted(t *testing.T) {
	const secret = "s3cr3t"
	file := func(line string) string {
		name := filepath.Join(t.TempDir(), "flags")
		if err := os.WriteFile(name, []byte(line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return "--config=" + name
	}
	values := []string{
		"redis://u:" + secret + "@h", "redis://:" + secret + "@h:99999", "redis://u:a/" + secret + "@h:1", "redis://u:a " + secret + " x@h:1",
		"redis:u:" + secret + "@h", "rediss://" + secret + "@h:1/0", "redis://h:1?password=" + secret, "redis://h:1?pass=" + secret + "&user=u",
		"postgres://u:" + secret + "@h/db", "redis://u:" + secret + "@h?user=%zz", "redis://h?u:" + secret + "@h",
	}
	for _, value := range values {
		lines := []string{"--state=" + value, file("state=" + value), file("state " + value)}
		if !strings.ContainsAny(value, " ?") && !strings.Contains(value, "a/") {
			lines = append(lines, value, "--hops-max="+value, "--mode="+value, "--listen="+value, "--http="+value, "--control="+value, "--dns="+value,
				"--client-block-list="+value, "--"+value, file(value), file("hops-max="+value), file("stat="+value))
		}
		for _, line := range lines {
			for _, command := range []string{"config", "check", "serve", "state stats", "replies", "explain"} {
				if command == "serve" && (strings.HasPrefix(line, "--http") || !strings.HasPrefix(line, "--")) {
					continue // it would begin
				}
				args := append(strings.Fields(command), line)
				var out, errs bytes.Buffer
				code := run(args, &out, &errs)
				if text := out.String() + errs.String(); strings.Contains(text, secret) || text == "" {
					t.Errorf("mailweir %q (%d): %s", args, code, text)
				}
			}
		}
		t.Setenv("MAILWEIR_STATE", value)
		var out, errs bytes.Buffer
		run([]string{"config"}, &out, &errs)
		if text := out.String() + errs.String(); strings.Contains(text, secret) {
			t.Errorf("MAILWEIR_STATE=%q: %s", value, text)
		}
		t.Setenv("MAILWEIR_STATE", "")
	}
}

// Nor where nothing but words of commands is expected, in the name of a variable, or in a note.
func TestNoPasswordIsPrintedInNotes(t *testing.T) {
	const secret = "redis://u:s3cr3t@h"
	t.Setenv("MAILWEIR_"+secret, "1")
	for _, args := range [][]string{
		{"help", secret}, {"help", "serve", secret}, {"help", secret, "serve"}, {"help", "state", secret}, {"check", "--rbl-key=" + secret}, {"config"},
	} {
		var out, errs bytes.Buffer
		code := run(args, &out, &errs)
		if text := out.String() + errs.String(); strings.Contains(text, "s3cr3t") || args[0] == "help" && code != exUsage {
			t.Errorf("mailweir %q (%d): %s", args, code, text)
		}
	}
}
