package content_test

import (
	"fmt"
	"os"
	"path/filepath"

	"mailweir/internal/content"
)

// A definition is loaded and compiled once; each message is one examination.
func Example() {
	dir, err := os.MkdirTemp("", "content")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "secrets.def")
	_ = os.WriteFile(file, []byte("!activation 10\n!scan subject body\n5:20 top secret\n"), 0o600)

	defs, err := content.Load(file)
	if err != nil {
		fmt.Println(err)
		return
	}
	examiner, err := content.NewExaminer(defs, content.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}

	x := examiner.Begin(content.Text)
	defer x.Close()
	x.Header("Subject", "=?utf-8?q?TOP=0Asecret?=")
	x.Header("Content-Type", "text/html")
	x.Body([]byte("<p>This is t<b>o</b>p\r\n se"))
	x.Body([]byte("cret</p>"))
	result, err := x.Finish()
	if err != nil {
		fmt.Println("not examined:", err)
		return
	}
	for _, o := range result.Outcomes {
		fmt.Println(o.Definition.Name, "score", o.Score, "fired", o.Fired)
		for _, h := range o.Hits {
			fmt.Println("line", h.Entry.Line, "count", h.Count, "in", h.Sections)
		}
	}
	// Output:
	// secrets score 10 fired true
	// line 3 count 2 in subject body
}
