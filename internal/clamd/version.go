package clamd

import (
	"fmt"
	"strings"
	"time"
)

// Version is what runs at the other end.
type Version struct {
	// Program is its name and version, as "ClamAV 1.4.6".
	Program string
	// Database is the number of its signatures' version, "" where it has none of ClamAV's own.
	Database string
	// Made is when they were made; the zero Time where it does not say.
	Made time.Time
}

// String says it in one line.
func (v Version) String() string {
	switch {
	case v.Database == "":
		return v.Program + ", signatures without a date"
	case v.Made.IsZero():
		return v.Program + ", signatures " + v.Database
	}
	return fmt.Sprintf("%s, signatures %s of %s", v.Program, v.Database, v.Made.UTC().Format("2 January 2006 15:04 UTC"))
}

// parseVersion reads an answer to VERSION: "ClamAV 1.4.6/27456/Thu Nov 26 09:32:14 2026". The time
// is that of the machine where clamd runs, which is taken to be in our zone.
func parseVersion(line string, zone *time.Location) (Version, error) {
	program, database, _ := strings.Cut(line, "/")
	number, date, _ := strings.Cut(database, "/")
	if !strings.HasPrefix(program, "ClamAV ") {
		return Version{}, &ReplyError{line}
	}
	v := Version{Program: program, Database: number}
	if made, err := time.ParseInLocation(time.ANSIC, date, zone); err == nil {
		v.Made = made
	}
	return v, nil
}
