package main

import (
	"fmt"
	"io"

	"mailweir/internal/doctor"
)

// writeDoctorPage says of each examination of doctor what its findings mean.
func writeDoctorPage(out io.Writer) {
	fmt.Fprint(out, "# What doctor looks at\n\n    sudo mailweir doctor\n\n"+
		"Each line is `LEVEL WHAT: WHY; COMMAND`. WHAT is a heading below; `--skip=WHAT,…` leaves it out. See [troubleshooting](../operate/troubleshooting.md).\n")
	about := ""
	for _, e := range doctor.Examinations() {
		if e.About != about {
			about = e.About
			fmt.Fprintf(out, "\n## %s\n", about)
		}
		fmt.Fprintf(out, "\n### %s\n\n%s. %s\n\nWhat to do: %s\n", e.ID, e.Title, e.Meaning, e.Remedy)
	}
}
