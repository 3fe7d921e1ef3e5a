package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
)

// machine is what a page tells of where it was measured.
type machine struct {
	cpu      string
	cores    int
	kernel   string
	versions []string // of what takes part
	load     string   // average of a minute, at the start
}

func (m machine) String() string {
	return fmt.Sprintf("%s, %d cores, Linux %s, %s; load average at the start %s",
		m.cpu, m.cores, m.kernel, strings.Join(m.versions, ", "), m.load)
}

// versionCommands print the versions of the peers.
var versionCommands = []struct {
	name    string
	command []string
	pattern *regexp.Regexp
}{
	{"Postfix", []string{"postconf", "-d", "mail_version"}, regexp.MustCompile(`= (\S+)`)},
	{"Redis", []string{"redis-server", "--version"}, regexp.MustCompile(` v=(\S+)`)},
	{"rspamd", []string{"rspamd", "--version"}, regexp.MustCompile(` (\d[\d.]*)`)},
}

// thisMachine leaves out what it does not find.
func thisMachine() machine {
	m := machine{cpu: "a processor without a name", cores: runtime.NumCPU(), kernel: firstLine("/proc/sys/kernel/osrelease")}
	m.load, _, _ = strings.Cut(firstLine("/proc/loadavg"), " ")
	info, _ := os.ReadFile("/proc/cpuinfo")
	if found := regexp.MustCompile(`model name\s*:\s*(.+)`).FindSubmatch(info); found != nil {
		m.cpu = string(found[1])
	}
	m.versions = []string{strings.Replace(runtime.Version(), "go", "Go ", 1)}
	for _, v := range versionCommands {
		out, _ := exec.Command(v.command[0], v.command[1:]...).Output()
		if found := v.pattern.FindSubmatch(out); found != nil {
			m.versions = append(m.versions, v.name+" "+string(found[1]))
		}
	}
	return m
}

func firstLine(file string) string {
	text, _ := os.ReadFile(file)
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}
