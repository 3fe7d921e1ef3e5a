package clamd

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestParseReply(t *testing.T) {
	for _, tt := range []struct {
		line string
		kind Kind
		name string
		err  string // part of it
	}{
		{line: "stream: OK"},
		{line: "stream: Eicar-Test-Signature FOUND", kind: Infected, name: "Eicar-Test-Signature"},
		{line: "stream: Local.Test.UNOFFICIAL FOUND", kind: Infected, name: "Local.Test.UNOFFICIAL"},
		{line: "stream: Eicar-Test(69630e4574ec6798239b091cda43dca0:68) FOUND", kind: Infected, name: "Eicar-Test"},
		{line: "stream: Eicar-Test(:68) FOUND", kind: Infected, name: "Eicar-Test"},
		{line: "stream: Odd(name) FOUND", kind: Infected, name: "Odd(name)"},
		{line: "stream: FOUND FOUND", kind: Infected, name: "FOUND"},
		{line: "stream: Heuristics.Phishing.Email.SpoofedDomain FOUND", kind: Infected, name: "Heuristics.Phishing.Email.SpoofedDomain"},
		{line: "stream: Heuristics.OLE2.ContainsMacros.VBA FOUND", kind: Infected, name: "Heuristics.OLE2.ContainsMacros.VBA"},
		{line: "stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND", kind: Limited, name: "Heuristics.Limits.Exceeded.MaxFileSize"},
		{line: "stream: Heuristics.Limits.Exceeded FOUND", kind: Limited, name: "Heuristics.Limits.Exceeded"},
		{line: "stream: Heuristics.Limits.ExceededX FOUND", kind: Infected, name: "Heuristics.Limits.ExceededX"},
		{line: "stream: Heuristics.Encrypted.Zip FOUND", kind: Encrypted, name: "Heuristics.Encrypted.Zip"},
		{line: "stream: Heuristics.Encrypted.PDF(d41d8cd98f00b204e9800998ecf8427e:0) FOUND", kind: Encrypted, name: "Heuristics.Encrypted.PDF"},
		{line: "stream: Heuristics.Broken.Executable FOUND", kind: Broken, name: "Heuristics.Broken.Executable"},
		{line: "stream: Heuristics.Broken.Media.JPEG.JFIFdupAppMarker FOUND", kind: Broken, name: "Heuristics.Broken.Media.JPEG.JFIFdupAppMarker"},

		{line: "INSTREAM size limit exceeded. ERROR", err: "StreamMaxLength"},
		{line: "stream: (null) FOUND", err: "a signature without a name"},
		{line: "stream:  FOUND", err: "a signature without a name"},
		{line: "stream: (d41d8cd98f00b204e9800998ecf8427e:0) FOUND", err: "a signature without a name"},
		{line: "stream: Can't allocate memory ERROR", err: `clamd answers "stream: Can't allocate memory ERROR"`},
		{line: "stream: Time limit reached ERROR", err: "Time limit"},
		{line: "Can't allocate memory ERROR", err: "Can't allocate"},
		{line: "COMMAND READ TIMED OUT", err: "COMMAND READ TIMED OUT"},
		{line: "UNKNOWN COMMAND", err: "UNKNOWN COMMAND"},
		{line: "stream: OK FOUND OK", err: "OK FOUND OK"},
		{line: "stream: ok", err: "stream: ok"},
		{line: "stream: OK ", err: "stream: OK "},
		{line: "stream:OK", err: "stream:OK"},
		{line: "1: stream: OK", err: "1: stream"},
		{line: "OK", err: `"OK"`},
		{line: "X FOUND", err: "X FOUND"},
		{line: "PONG", err: "PONG"},
		{line: "", err: `clamd answers ""`},
	} {
		t.Run(tt.line, func(t *testing.T) {
			v, err := parseReply(tt.line)
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Fatalf("error %v, want %q", err, tt.err)
			}
			if v != (verdict{tt.kind, tt.name}) {
				t.Errorf("%s %q, want %s %q", v.kind, v.name, tt.kind, tt.name)
			}
		})
	}
	if _, err := parseReply("INSTREAM size limit exceeded. ERROR"); !errors.Is(err, errSizeLimit) {
		t.Error(err)
	}
}

// Whatever is answered: only the one word is clean, and what is found has a name.
func FuzzParseReply(f *testing.F) {
	for _, line := range []string{"stream: OK", "stream: X FOUND", "stream: (null) FOUND", "stream: X(00:1) FOUND", "INSTREAM size limit exceeded. ERROR", "UNKNOWN COMMAND", "stream: Heuristics.Broken.X FOUND"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		v, err := parseReply(line)
		switch {
		case err != nil && v != (verdict{}):
			t.Errorf("%v beside %v", v, err)
		case err == nil && v.kind == Clean && line != "stream: OK":
			t.Errorf("%q is clean", line)
		case err == nil && v.kind != Clean && (v.name == "" || !strings.HasSuffix(line, " FOUND") || !strings.Contains(line, v.name)):
			t.Errorf("%q has found %q", line, v.name)
		}
	})
}

func TestParseThreads(t *testing.T) {
	const one = "POOLS: 1\n\nSTATE: VALID PRIMARY\nTHREADS: live 1  idle 0 max 12 idle-timeout 30\nQUEUE: 0 items\n\tSTATS 0.000002 \n\nEND"
	for stats, want := range map[string]int{
		one: 12, "POOLS: 2\n" + one + "\n" + one: 24, "": 0, "COMMAND UNAVAILABLE": 0,
		"THREADS: live 1 idle 0 max x": 0, "THREADS: max 99999999999999999999": 0, "THREADS: max 0": 0,
	} {
		if got := parseThreads(stats); got != want {
			t.Errorf("%q: %d, want %d", stats, got, want)
		}
	}
}

func TestParseVersion(t *testing.T) {
	zone := time.FixedZone("", 3600)
	for _, tt := range []struct{ line, want, made, err string }{
		{"ClamAV 1.4.6", "ClamAV 1.4.6, signatures without a date", "", ""},
		{"ClamAV 1.4.6/27456/Thu Nov 26 09:32:14 2026", "ClamAV 1.4.6, signatures 27456 of 26 November 2026 08:32 UTC", "2026-11-26T08:32:14Z", ""},
		{"ClamAV 0.103.8/1/Sun Feb  1 09:32:14 2026", "ClamAV 0.103.8, signatures 1 of 1 February 2026 08:32 UTC", "2026-02-01T08:32:14Z", ""},
		{"ClamAV 1.4.6/27456/yesterday", "ClamAV 1.4.6, signatures 27456", "", ""},
		{"ClamAV 1.4.6/27456", "ClamAV 1.4.6, signatures 27456", "", ""},
		{line: "UNKNOWN COMMAND", err: "UNKNOWN COMMAND"},
		{line: "", err: `""`},
	} {
		v, err := parseVersion(tt.line, zone)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%q: error %v", tt.line, err)
			}
			continue
		}
		made := ""
		if !v.Made.IsZero() {
			made = v.Made.UTC().Format(time.RFC3339)
		}
		if err != nil || v.String() != tt.want || made != tt.made {
			t.Errorf("%q: %q %s, %v; want %q %s", tt.line, v, made, err, tt.want, tt.made)
		}
	}
}

func TestParseAddress(t *testing.T) {
	for _, tt := range []struct {
		spec, network, target string
		clear                 bool
		err                   string
	}{
		{spec: "clamd:unix:/run/clamav/clamd.ctl", network: "unix", target: "/run/clamav/clamd.ctl"},
		{spec: "clamd:tcp:127.0.0.1:3310", network: "tcp", target: "127.0.0.1:3310"},
		{spec: "clamd:tcp:localhost:3310", network: "tcp", target: "localhost:3310"},
		{spec: "clamd:tcp:[::1]:3310", network: "tcp", target: "[::1]:3310"},
		{spec: "clamd:tcp:10.0.0.1:3310", network: "tcp", target: "10.0.0.1:3310", clear: true},
		{spec: "clamd:tcp:scan.example:3310", network: "tcp", target: "scan.example:3310", clear: true},
		{spec: "clamd:unix:run/clamd.ctl", err: "not absolute"},
		{spec: "clamd:unix:", err: "not absolute"},
		{spec: "clamd:tcp:127.0.0.1", err: "a host and a port"},
		{spec: "clamd:tcp::3310", err: "a host and a port"},
		{spec: "clamd:tcp:127.0.0.1:0", err: "a host and a port"},
		{spec: "clamd:tcp:127.0.0.1:clamd", err: "a host and a port"},
		{spec: "clamd:127.0.0.1:3310", err: "neither unix nor tcp"},
		{spec: "clamd", err: "neither unix nor tcp"},
		{spec: "unix:/run/clamd.ctl", err: "the only scanner that is known is clamd"},
		{spec: "", err: "the only scanner"},
	} {
		a, err := ParseAddress(tt.spec)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: error %v, want %q", tt.spec, err, tt.err)
			}
			continue
		}
		if err != nil || a != (Address{tt.network, tt.target}) || a.InClear() != tt.clear || a.String() != tt.spec {
			t.Errorf("%s: %v, in clear %t, %v", tt.spec, a, a.InClear(), err)
		}
	}
}
