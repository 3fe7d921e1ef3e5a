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
				code := run(args, &out, &errs, "")
				if text := out.String() + errs.String(); strings.Contains(text, secret) || text == "" {
					t.Errorf("mailweir %q (%d): %s", args, code, text)
				}
			}
		}
		t.Setenv("MAILWEIR_STATE", value)
		var out, errs bytes.Buffer
		run([]string{"config"}, &out, &errs, "")
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
		code := run(args, &out, &errs, "")
		if text := out.String() + errs.String(); strings.Contains(text, "s3cr3t") || args[0] == "help" && code != exUsage {
			t.Errorf("mailweir %q (%d): %s", args, code, text)
		}
	}
}

// Nor what stands where the name of a file should, or the key of a paid list in front of its zone.
func TestNoKeyIsPrinted(t *testing.T) {
	const secret, zone = "s3cr3t", "s3cr3t.zen.dq.spamhaus.net"
	file := func(line string) string {
		name := filepath.Join(t.TempDir(), "flags")
		if err := os.WriteFile(name, []byte(line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return "--config=" + name
	}
	lines := [][]string{
		{"--rbl-key=x=" + secret, "--rbl-zone={x}.zen.dq.spamhaus.net"},
		{"--rbl-key=" + secret},
		{"--rbl-key=x=a/" + secret, "--rbl-zone={x}.bl.example.net"},
		{"--rbl-zone=" + zone},
		{"--rbl-zone=" + zone + "=127.0.0.2*2"},
		{"--rhsbl-zone=" + secret + ".dbl.dq.spamhaus.net."},
		{"--rbl-zone=a." + zone},
		{"--rbl-zone=" + secret + ".combined.mail.abusix.zone"},
		{"--rbl-zone=bl.example.net", "--rbl-monitor-zone=" + zone},
		{file("rbl-zone " + zone)},
		{file("rbl-zone:" + zone)},
		{file(zone)},
		{file("rbl-key=x=" + secret)},
		{file(secret)},
		{file("--" + secret)},
		{"--state=redis://h password=" + secret},
		{file("state=redis://h password=" + secret)},
		{file("state redis://h:1 password=" + secret)},
		{"--state=redis://h#" + secret},
		{"--state=redis://h:1#" + secret},
		{"--state=redis://h:1/0#" + secret},
		{"--state=redis://h:1?prefix=a#" + secret},
		{"--state=redis://h:1?password-file=" + secret},
		{"--state=redis://h:1?sentinel-password-file=" + secret},
		{"--state=redis://h:1?" + secret},
	}
	for _, line := range lines {
		for _, command := range []string{"config", "check", "explain", "state stats", "rbl test {x}.zen.dq.spamhaus.net"} {
			args := append(strings.Fields(command), line...)
			var out, errs bytes.Buffer
			code := run(args, &out, &errs, "")
			if text := out.String() + errs.String(); strings.Contains(text, secret) || text == "" {
				t.Errorf("mailweir %q (%d): %s", args, code, text)
			}
		}
	}
	for _, command := range []string{"rbl status ", "rbl test ", "rbl resume "} {
		var out, errs bytes.Buffer
		run(strings.Fields(command+zone), &out, &errs, "")
		if text := out.String() + errs.String(); strings.Contains(text, secret) || text == "" {
			t.Errorf("%s: %s", command, text)
		}
	}
}
