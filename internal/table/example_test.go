package table_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"

	"mailweir/internal/address"
	"mailweir/internal/table"
)

// A block list of two tables: the first that has an answer gives it.
func ExampleList_Address() {
	ctx, loader := context.Background(), table.NewLoader(nil)
	list, err := loader.List(
		table.ListOptions{Use: table.Use{Values: table.Actions}, Subdomains: true, Delimiters: "+"},
		"inline:{friend@spam.example=DUNNO, {spam.example = REJECT 5.7.1 no more of this}}",
		"inline:{nobody@=450}",
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, sender := range []string{"<Friend+news@spam.example>", "<x@mail.spam.example>", "<nobody@other.example>", "<>"} {
		m, err := list.Address(ctx, address.Parse(sender))
		if err != nil { // only a table that waits
			fmt.Println(err)
		}
		fmt.Printf("%s %v %s %q %q\n", sender, m.Found(), m.Action.Verb, m.Action.Text, m.Key)
	}
	// Output:
	// <Friend+news@spam.example> true DUNNO "" "friend@spam.example"
	// <x@mail.spam.example> true REJECT "no more of this" "spam.example"
	// <nobody@other.example> true DEFER "" "nobody@"
	// <> false  "" ""
}

// An entry that answered can be named, and a broken one is named when the list is opened.
func ExampleLoader_List() {
	dir, err := os.MkdirTemp("", "table")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "clients")

	_ = os.WriteFile(file, []byte("# from the abuse desk\n192.0.2.0/24  REJECT\n"), 0o600)
	loader := table.NewLoader(nil)
	options := table.ListOptions{Use: table.Use{Values: table.Actions}}
	list, err := loader.List(options, "cidr:"+file)
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := list.Client(context.Background(), netip.MustParseAddr("192.0.2.7"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s:%d: %s\n", filepath.Base(m.File), m.Line, m.Value)

	_ = os.WriteFile(file, []byte("192.0.2.0/24  REJEKT\n"), 0o600)
	fmt.Println("changed:", len(loader.Changed()))
	_, err = table.NewLoader(loader).List(options, "cidr:"+file)
	fmt.Println(filepath.Base(err.Error()))
	// Output:
	// clients:2: REJECT
	// changed: 1
	// clients:1: unknown action "REJEKT": want OK, DUNNO, REJECT [text], DEFER [text], or a reply such as 550 5.7.1 text
}
