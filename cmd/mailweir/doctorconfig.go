package main

import (
	"slices"
	"strconv"

	"mailweir/checks/content"
	"mailweir/checks/greylist"
	"mailweir/checks/load"
	"mailweir/checks/rcptlimit"
	"mailweir/checks/size"
	"mailweir/checks/spam"
	"mailweir/checks/virus"
	"mailweir/internal/doctor"
	"mailweir/internal/policy"
	"mailweir/internal/runner"
)

// doctorConfig is the configuration as doctor looks at it.
func (s *settings) doctorConfig(build func() (*runner.Policy, error)) doctor.Config {
	c := doctor.Config{
		Listen: slices.Clone(s.daemon.addresses()), State: stateSpec(*s.daemon.state), Record: recordSpec(s.daemon),
		RcptLimit: s.number(rcptlimit.Check.Name + "-max"), Sessions: s.number(load.Check.Name + "-sessions"),
		Zones:        slices.Concat(given(s, "rbl-zone"), given(s, "rhsbl-zone")),
		SpamScanners: given(s, spam.Check.Name+"-scanner"),
		Places:       s.daemon.placeRemarks(), Warnings: s.found.Remarks,
	}
	if f := s.flags.Lookup(size.Check.Name + "-max"); f.Changed {
		c.SizeMax = octets(f.Value)
	}
	if len(given(s, virus.Check.Name+"-scanner")) > 0 {
		c.ScanMax = octets(s.flags.Lookup(virus.Check.Name + "-max-size").Value)
	}
	p, err := build()
	if err != nil || len(s.found.Wrong) > 0 {
		for _, one := range leaves(s.mistakes(err, lookAtPolicy)) {
			c.Wrong = append(c.Wrong, one.Error())
		}
		return c
	}
	c.Services = make(map[string]string)
	for door, service := range p.Settings.Services {
		c.Services[door] = string(service)
	}
	for _, state := range p.Checks() {
		refuses := state.Off == "" && state.Mode >= policy.Defer && len(state.Check.Replies) > 0
		c.Refuses = c.Refuses || refuses
		switch state.Check {
		case rcptlimit.Check:
			c.RcptLimitRefuses = refuses
		case greylist.Check:
			c.Greylists = state.Off == "" && state.Mode >= policy.Monitor
		case spam.Check, content.Check:
			c.EditsHeaders = c.EditsHeaders || state.Off == "" && state.Mode == policy.Enforce
		}
	}
	c.Warnings = slices.Concat(p.Warnings(), s.daemon.openRemarks())
	c.Unreadable = s.rights(p.Files())
	return c
}

// number is the value of a flag that is one.
func (s *settings) number(flag string) int {
	n, _ := strconv.Atoi(s.flags.Lookup(flag).Value.String()) // 0 where it was not valid
	return n
}

// octets is a size.
func octets(value any) int64 {
	if size, ok := value.(*policy.Size); ok {
		return int64(*size)
	}
	return 0
}
