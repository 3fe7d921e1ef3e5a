// Command grafana writes mailweir.json, the dashboard that people import into Grafana: "make docs"
// does it, and CI refuses a file that is not what this writes.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	if err := write(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "grafana:", err)
		os.Exit(1)
	}
}

// write writes the dashboard as it is kept in the repository.
func write(out *os.File) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(build())
}
