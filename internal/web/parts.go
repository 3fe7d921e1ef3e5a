package web

import (
	"time"

	"mailweir/internal/admin"
	"mailweir/internal/record"
)

// Parts are what the pages show and work with.
type Parts struct {
	// Record is where decisions are kept, nil with --record=off.
	Record record.Reader
	// InForce tells what the daemon goes by.
	InForce InForce
	// Admin carries operations out, and decides who may.
	Admin *admin.Service
	// Clock tells the time, Host names the host of mailweir, Version is that of the program.
	Clock         func() time.Time
	Host, Version string
}
