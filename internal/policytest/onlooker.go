package policytest

import (
	"time"

	"mailweir/internal/policy"
)

// Onlooker is an observer that takes no notice.
type Onlooker struct{}

func (Onlooker) Record(*policy.Event)             {}
func (Onlooker) Identify(*policy.Event) string    { return "" }
func (Onlooker) Settled(*policy.Transaction)      {}
func (Onlooker) Defect(err error)                 { panic(err) }
func (Onlooker) Keeps() bool                      { return false }
func (Onlooker) Dropped()                         {}
func (Onlooker) Opened(*policy.Connection)        {}
func (Onlooker) Closed(*policy.Connection)        {}
func (Onlooker) Took(policy.Stage, time.Duration) {}
