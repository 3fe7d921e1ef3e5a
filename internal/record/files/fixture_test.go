package files_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/files"
)

var fixture = flag.String("fixture", "", "write a file of the present version to this path; those of earlier versions stay as they are")

func TestFixture(t *testing.T) {
	if *fixture == "" {
		t.Skip("no -fixture")
	}
	b := newBed(t, files.Options{})
	change := record.Change{Time: b.now, Operation: "tempblock/add", Person: policy.Person{Name: "bob", UID: 7, From: "control socket"}}
	if err := b.Write(t.Context(), []record.Entry{b.refusal("mw-aaaaaaaa"), b.accepted()}, []record.Change{change}); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(b.dir, "2026-11-23.sqlite"))
	if err == nil {
		err = os.WriteFile(*fixture, data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
