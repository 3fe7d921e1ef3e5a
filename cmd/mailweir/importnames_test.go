package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mailweir/checks/impersonation"
	"mailweir/internal/importing"
	"mailweir/internal/importing/headerchecks"
	"mailweir/internal/mta/postfix"
	"mailweir/internal/policytest"
	"mailweir/test/testbed"
)

// TestImportedNames holds rules of header_checks for names of people against the check that they
// are written for, with a thousand From fields each, and the real postmap.
func TestImportedNames(t *testing.T) {
	testbed.Require(t, "postmap")
	for _, c := range []struct{ name, rules string }{
		{"look-ahead", `/^From:.*Jane Doe.*<(?!jane@own\.example|jd@mail\.example>)/ REJECT`},
		{"look-ahead first", `/^From:(?!.*@own\.example).*Jane Doe/ REJECT`},
		{"exemption", "/^From:.*Jane Doe.*<jane@own\\.example>/ DUNNO\n/^From:.*Jane Doe.*<jd@mail\\.example>/ OK\n/^From:.*Jane Doe/ REJECT"},
		{"if", "if /^From:.*\"?Jane Doe\"?/\n!/@own\\.example>/ REJECT\nendif"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			old := filepath.Join(dir, "checks")
			writeText(t, old, c.rules+"\n")
			spec := "pcre:" + old
			in := &importing.Input{
				Postfix: &postfix.Postfix{Config: dir, Parameters: map[string]string{"header_checks": spec, "nested_header_checks": spec}}, Dir: dir,
			}
			result, err := headerchecks.Source().Read(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			flags := []string{"--impersonation=enforce"}
			for _, f := range result.Files {
				writeText(t, filepath.Join(dir, f.Name), f.Text)
			}
			for _, f := range result.Flags {
				if f.Name == "header-from-names" {
					flags = append(flags, "--"+f.Name+"="+f.Value)
				}
			}
			if len(flags) != 2 {
				t.Fatalf("no names were written: %+v", result.Items)
			}
			host := policytest.Only(impersonation.Check).Host(t, flags...)
			fields := namedFields()
			refused := postmapRefuses(t, spec, fields)
			both := 0
			for _, f := range fields {
				said := fmt.Sprint(host.Send(policytest.Letter{Header: []string{f.line}}))
				got := strings.Contains(said, "550 5.7.1")
				switch {
				case got && !refused[f.line] && !f.like:
					t.Errorf("%s: Postfix lets it pass, mailweir says %s", f.line, said)
				case refused[f.line] && !got && f.bare && !f.ours:
					t.Errorf("%s: Postfix refuses it, mailweir says %s", f.line, said)
				case got:
					both++
				}
			}
			if len(fields) < 1000 || both < 100 {
				t.Errorf("both refuse %d of %d", both, len(fields))
			}
		})
	}
}

// namedField is a From field. Bare says that the display name is the name alone, ours that the
// address is of a local domain, like that it only begins or ends like one of a rule.
type namedField struct {
	line       string
	bare, ours bool
	like       bool
}

func namedFields() (all []namedField) {
	names := []struct {
		text string
		bare bool
	}{
		{"Jane Doe", true},
		{`"Jane Doe"`, true},
		{"jane doe", true},
		{`"JANE DOE"`, true},
		{"Jane Doe (Office)", false},
		{`"Jane Doe | Acme"`, false},
		{"Friends of Jane Doe", false},
		{"Jane Doering", false},
		{"Mary Jane Doe", false},
		{"John Roe", false},
		{`"Roe, Jane"`, false},
		{"", false},
		{"Jane", false},
		{"Doe", false},
	}
	locals := []string{"jane", "jd", "x", "jane.doe", "ceo", "jane2", "xjane"}
	domains := []string{"own.example", "mail.example", "evil.example", "own.example.evil.example", "xown.example", "gmail.com", "ours.example", "sub.evil.example", "own.example.org", "freemail.example", "a.example"}
	for _, n := range names {
		for _, l := range locals {
			for _, d := range domains {
				all = append(all, namedField{"From: " + strings.TrimLeft(n.text+" <"+l+"@"+d+">", " "), n.bare, d == "ours.example", strings.Contains(l+"@"+d, "own.example") && (d != "own.example" || l == "xjane")})
			}
		}
	}
	return all
}

// postmapRefuses asks Postfix's own program.
func postmapRefuses(t *testing.T, spec string, fields []namedField) map[string]bool {
	t.Helper()
	config := t.TempDir()
	writeText(t, filepath.Join(config, "main.cf"), "compatibility_level = 3.6\n")
	var lines bytes.Buffer
	for _, f := range fields {
		lines.WriteString(f.line + "\n")
	}
	cmd := exec.Command("postmap", "-c", config, "-hq", "-", spec)
	cmd.Stdin = &lines
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState.ExitCode() != 1 {
		t.Fatal(err)
	}
	refused := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		if key, value, found := strings.Cut(line, "\t"); found && strings.HasPrefix(value, "REJECT") {
			refused[key] = true
		}
	}
	return refused
}

func writeText(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
