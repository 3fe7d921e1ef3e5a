package postfix

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"mailweir/internal/mta"
)

// Postfix is how an instance of Postfix is set up.
type Postfix struct {
	// Config is the directory of main.cf.
	Config string
	// Parameters are all parameters of main.cf, defaults too, with every $name expanded.
	Parameters map[string]string
	// Set are those that main.cf itself sets, as they stand there.
	Set map[string]string
	// Services are those of master.cf, in its order.
	Services []*Service
	// Warnings is what postconf has to say, such as of a parameter that nobody reads.
	Warnings []string
}

// Read has postconf print the configuration in a directory; "" is the usual one. It needs no rights
// but to read main.cf and master.cf, which everybody may.
func Read(ctx context.Context, run mta.Run, config string) (*Postfix, error) {
	argv := []string{"postconf"}
	if config != "" {
		argv = append(argv, "-c", config)
	}
	// All at once: postconf waits up to two seconds where main.cf has just been written.
	options := [4]string{"-x", "-n", "-M", "-P"}
	var printed [len(options)]mta.Output
	var failed [len(options)]error
	var running sync.WaitGroup
	for i, option := range options {
		running.Go(func() { printed[i], failed[i] = run(ctx, "", append(slices.Clone(argv), option)...) })
	}
	running.Wait()
	for _, err := range failed {
		if err != nil {
			return nil, err
		}
	}
	// Each run repeats the warnings.
	p := &Postfix{Warnings: lines(printed[1].Stderr)}
	var err error
	if p.Parameters, err = ParseParameters(printed[0].Stdout); err != nil {
		return nil, err
	}
	if p.Set, err = ParseParameters(printed[1].Stdout); err != nil {
		return nil, err
	}
	if p.Services, err = ParseServices(printed[2].Stdout); err != nil {
		return nil, err
	}
	overrides, err := ParseOverrides(printed[3].Stdout)
	if err != nil {
		return nil, err
	}
	for _, s := range p.Services {
		s.Overrides = overrides[s.Key()]
	}
	p.Config = p.Parameters["config_directory"]
	return p, nil
}

// ParseParameters reads lines of NAME = VALUE, as postconf prints them.
func ParseParameters(printed string) (map[string]string, error) {
	parameters := make(map[string]string)
	for _, line := range lines(printed) {
		name, value, found := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		if !found || name == "" {
			return nil, fmt.Errorf("postconf: %q is not NAME = VALUE", line)
		}
		parameters[name] = strings.TrimSpace(value)
	}
	return parameters, nil
}

// ParseOverrides reads what "postconf -P" prints: SERVICE/TYPE/NAME = VALUE. The map has the
// parameters of each service by its key, as they stand in master.cf.
func ParseOverrides(printed string) (map[string]map[string]string, error) {
	all, err := ParseParameters(printed)
	if err != nil {
		return nil, err
	}
	overrides := make(map[string]map[string]string)
	for name, value := range all {
		// The name of a service may be a path; that of a type or parameter has no slash.
		service, parameter, found := cutLast(name)
		if !found || !strings.Contains(service, "/") {
			return nil, fmt.Errorf("postconf -P: %q is not SERVICE/TYPE/NAME", name)
		}
		if overrides[service] == nil {
			overrides[service] = make(map[string]string)
		}
		overrides[service][parameter] = value
	}
	return overrides, nil
}

func cutLast(s string) (before, after string, found bool) {
	i := strings.LastIndexByte(s, '/')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// lines are those that are not empty.
func lines(text string) (all []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\r\n"); strings.TrimSpace(line) != "" {
			all = append(all, line)
		}
	}
	return all
}

// Instance is one of several Postfixes on a host (postmulti(1)).
type Instance struct {
	// Name and Group are "" where there is none, as with the only instance of most hosts.
	Name, Group string
	Enabled     bool
	// Config is the directory of its main.cf.
	Config string
}

// Instances asks postmulti which there are. The first is the usual one.
func Instances(ctx context.Context, run mta.Run) ([]Instance, error) {
	out, err := run(ctx, "", "postmulti", "-l")
	if err != nil {
		return nil, err
	}
	return ParseInstances(out.Stdout)
}

// ParseInstances reads what "postmulti -l" prints: name, group, whether it is enabled, directory.
func ParseInstances(printed string) (instances []Instance, err error) {
	for _, line := range lines(printed) {
		words := strings.Fields(line)
		if len(words) != 4 || words[2] != "y" && words[2] != "n" {
			return nil, fmt.Errorf("postmulti -l: %q is not NAME GROUP y|n DIRECTORY", line)
		}
		for i := range words[:2] {
			if words[i] == "-" {
				words[i] = ""
			}
		}
		instances = append(instances, Instance{Name: words[0], Group: words[1], Enabled: words[2] == "y", Config: words[3]})
	}
	return instances, nil
}
