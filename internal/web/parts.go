package web

import (
	"time"

	"mailweir/internal/admin"
	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/why"
)

// Parts are what the pages show and work with.
type Parts struct {
	// Record is where decisions are kept, nil with --record=off.
	Record record.Reader
	// InForce tells what the daemon goes by.
	InForce InForce
	// Watch begins to look on at what is written to the record, nil where that cannot be.
	Watch func() *record.Watch
	// Registry has the checks. Teller tells decisions of a record under the flags that are in
	// force.
	Registry *policy.Registry
	Teller   func(record.Reader) *why.Teller
	// Admin carries operations out, and decides who may.
	Admin *admin.Service
	// Clock tells the time, Host names the host of mailweir, Version is that of the program.
	Clock         func() time.Time
	Host, Version string
}
