package rbl

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"mailweir/internal/policy"
	"mailweir/rbl"
)

// remarks says what is allowed and most likely a slip. The flags have been found valid.
func (o *options) remarks() []string {
	addresses, _ := rbl.Parse(rbl.Addresses, *o.zones)
	names, _ := rbl.Parse(rbl.Domains, *o.names)
	var remarks []string
	for flag, entries := range map[string][]rbl.Entry{"rbl-zone": addresses, "rhsbl-zone": names} {
		if most := mostWeight(entries); len(entries) > 0 && most < *o.threshold {
			remarks = append(remarks, fmt.Sprintf("--rbl-threshold=%d cannot be reached: all lists of --%s together weigh %d", *o.threshold, flag, most))
		}
	}
	slices.Sort(remarks)
	remarks = append(remarks, unusedKeys(*o.keys, slices.Concat(addresses, names))...)
	return append(remarks, openKeys(*o.keys)...)
}

// mostWeight is the sum that is reached when every list hits with every entry.
func mostWeight(entries []rbl.Entry) (most int) {
	for _, e := range entries {
		most += max(0, e.Weight)
	}
	return most
}

// unusedKeys finds keys that stand in no zone.
func unusedKeys(specs []string, entries []rbl.Entry) (remarks []string) {
	for _, spec := range specs {
		name, _, ok := strings.Cut(spec, "=")
		if !ok { // it may be the key itself
			remarks = append(remarks, "--rbl-key: one is not NAME=FILE")
			continue
		}
		if !slices.ContainsFunc(entries, func(e rbl.Entry) bool { return strings.Contains(e.Zone, "{"+name+"}") }) {
			remarks = append(remarks, fmt.Sprintf("--rbl-key: no zone has the key {%s}", name))
		}
	}
	return remarks
}

// openKeys finds files of keys that every user of the host can read.
func openKeys(specs []string) (remarks []string) {
	for _, spec := range specs {
		_, file, _ := strings.Cut(spec, "=")
		if info, err := os.Stat(file); err == nil && info.Mode().Perm()&0o004 != 0 {
			remarks = append(remarks, fmt.Sprintf("--rbl-key: every user of this host can read %s: chmod o-r", file))
		}
	}
	return remarks
}

// publicResolvers finds resolvers through which lists do not answer.
func publicResolvers(env *policy.Env) (warnings []string) {
	if env.DNS == nil {
		return nil
	}
	for _, server := range env.DNS.Servers() {
		if whose := rbl.PublicResolver(server); whose != "" {
			warnings = append(warnings, fmt.Sprintf("--rbl-zone, --rhsbl-zone: %s is a public resolver (%s), through which lists refuse to answer, or say that nobody is listed: run one of your own, and name it in --dns", server, whose))
		}
	}
	return warnings
}
