package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Each part has a file that ends in its name and something to do, and no method that finds aims is
// left out.
func TestEveryPartIsListed(t *testing.T) {
	var names []string
	for _, p := range parts() {
		if p.about == "" || p.run == nil && p.aims == nil {
			t.Errorf("%s does nothing, or does not say what", p.name)
		}
		own, err := filepath.Glob("*" + p.name + ".go") // traffic is in redis_traffic.go
		if err != nil || len(own) == 0 || slices.Contains(names, p.name) {
			t.Errorf("%s has no file of its own: %v", p.name, err)
		}
		names = append(names, p.name)
	}
	list, err := os.ReadFile("parts.go")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^func \(b \*bench\) (\w+)\(\) \(\[\]aim, error\) \{`)
	found := 0
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range declared.FindAllStringSubmatch(string(source), -1) {
			found++
			if !strings.Contains(string(list), "(*bench)."+m[1]) {
				t.Errorf("%s: the aims of %s are of no part", file, m[1])
			}
		}
	}
	if found == 0 {
		t.Error("no method finds aims")
	}
}

func TestChosenParts(t *testing.T) {
	known := []string{"wire", "state"}
	for list, want := range map[string][]string{"all": known, "state": {"state"}, "state,wire": {"state", "wire"}, "wires": nil, "": nil} {
		got, err := chosen(list, known)
		if !reflect.DeepEqual(got, want) || (err == nil) != (want != nil) {
			t.Errorf("%q: %v, %v, want %v", list, got, err, want)
		}
	}
}
