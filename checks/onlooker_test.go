package checks

import (
	"time"

	"mailweir/internal/policy"
)

// onlooker is an observer that takes no notice.
type onlooker struct{}

func (onlooker) Record(*policy.Event)                    {}
func (onlooker) Identify(*policy.Event) string           { return "" }
func (onlooker) Settled(*policy.Message, policy.Outcome) {}
func (onlooker) Defect(err error)                        { panic(err) }
func (onlooker) Opened(*policy.Connection)               {}
func (onlooker) Closed(*policy.Connection)               {}
func (onlooker) Took(policy.Stage, time.Duration)        {}
