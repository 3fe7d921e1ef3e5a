package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

// allAims has each part find its aims and prints the page. Each is a process of its own: its heap
// is its own, and one that fails loses no other's rows.
func (b *bench) allAims() error {
	all := namesOf(parts(), part.hasAims)
	names, err := chosen(b.aims, all)
	if err != nil {
		return err
	}
	page := aimsPage{when: time.Now(), machine: thisMachine(), rounds: b.rounds}
	if len(names) < len(all) {
		page.of = names
	}
	for _, name := range names {
		begun := time.Now()
		list, err := b.aimsOf(name)
		if err != nil {
			b.Errorf("bench: %s: %v", name, err)
			page.missing = append(page.missing, name)
		}
		page.aims = append(page.aims, list...)
		b.Logf("bench: %s: %d aims in %v", name, len(list), time.Since(begun).Round(time.Second))
	}
	page.writeTo(os.Stdout)
	if b.write == "" {
		return nil
	}
	return page.write(b.write)
}

// aimsOf runs this very program for the aims of a part.
func (b *bench) aimsOf(name string) (list []aim, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args := []string{"-aims-of", name}
	flag.Visit(func(f *flag.Flag) {
		if !slices.Contains([]string{"only", "aims", "write", "mailweir"}, f.Name) {
			args = append(args, "-"+f.Name+"="+f.Value.String())
		}
	})
	if b.mailweir != "" {
		args = append(args, "-mailweir="+b.mailweir) // is built by now
	}
	cmd := exec.Command(self, args...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	return list, json.Unmarshal(out, &list)
}

// beAims is the process of one part's aims.
func (b *bench) beAims(name string) error {
	i := slices.IndexFunc(parts(), func(p part) bool { return p.name == name && p.hasAims() })
	if i < 0 {
		return fmt.Errorf("no aims of %q", name)
	}
	list, err := parts()[i].aims(b)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(list)
}
