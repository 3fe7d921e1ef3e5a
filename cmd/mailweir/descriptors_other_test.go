//go:build !linux

package main

import "github.com/rogpeppe/go-internal/testscript"

// limitDescriptors cannot be done from outside here.
func limitDescriptors(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Fatalf("descriptors: only Linux limits those of another process (prlimit(2))")
}
