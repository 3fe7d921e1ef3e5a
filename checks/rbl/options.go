package rbl

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"mailweir/internal/policy"
	"mailweir/rbl"
)

// options are the flags of the check.
type options struct {
	zones, names, keys, monitored, untested *[]string
	threshold                               *int
	timeout                                 *time.Duration
}

func (o *options) build(env *policy.Env) (policy.Hooks, error) {
	switch {
	case len(*o.zones)+len(*o.names) == 0 && len(*o.monitored)+len(*o.untested) > 0:
		return policy.Hooks{}, errors.New("--rbl-monitor-zone and --rbl-untested-zone are about lists of --rbl-zone and --rhsbl-zone: name the list there, too")
	case len(*o.zones)+len(*o.names) == 0:
		return policy.Hooks{Off: "no --rbl-zone and no --rhsbl-zone", Remarks: unusedKeys(*o.keys, nil)}, nil
	case *o.threshold < 1:
		return policy.Hooks{}, errors.New("--rbl-threshold: a threshold of 0 would refuse everybody; use 1 or more")
	case *o.timeout <= 0:
		return policy.Hooks{}, errors.New("--rbl-timeout: no list can answer in no time; use a span such as 3s, or --rbl=off")
	}
	keys := make(map[string]rbl.Secret)
	for _, spec := range *o.keys {
		name, key, err := rbl.ParseKey(spec)
		if err != nil {
			return policy.Hooks{}, fmt.Errorf("--rbl-key: %w", err)
		}
		keys[name] = key
	}
	addresses, names, err := o.sets(env, keys)
	if err != nil {
		return policy.Hooks{}, err
	}
	rule := &rule{
		lists: env.Lists, addresses: addresses, names: names, threshold: *o.threshold, timeout: *o.timeout,
		explaining: env.Explaining, client: policy.NewQuestion[[]*rbl.Result](env, policy.Network{}),
	}
	hooks := rule.hooks(env)
	hooks.Remarks, hooks.Warnings = o.remarks(), publicResolvers(env)
	return hooks, nil
}

// sets makes the set of address lists and that of name lists, nil for one that is not in use.
func (o *options) sets(env *policy.Env, keys map[string]rbl.Secret) (addresses, names *rbl.Set, err error) {
	ofAddresses, err := rbl.Parse(rbl.Addresses, *o.zones)
	if err != nil {
		return nil, nil, fmt.Errorf("--rbl-zone: %w", err)
	}
	ofNames, err := rbl.Parse(rbl.Domains, *o.names)
	if err != nil {
		return nil, nil, fmt.Errorf("--rhsbl-zone: %w", err)
	}
	all := slices.Concat(ofAddresses, ofNames)
	if len(all) == 0 {
		return nil, nil, errors.New("--rbl-zone, --rhsbl-zone: no zone stands there")
	}
	if err := errors.Join(known("rbl-monitor-zone", *o.monitored, all), known("rbl-untested-zone", *o.untested, all)); err != nil {
		return nil, nil, err
	}
	if addresses, err = o.set(env, ofAddresses, keys); err != nil {
		return nil, nil, fmt.Errorf("--rbl-zone: %w", err)
	}
	if names, err = o.set(env, ofNames, keys); err != nil {
		if addresses != nil {
			addresses.Close()
		}
		return nil, nil, fmt.Errorf("--rhsbl-zone: %w", err)
	}
	return addresses, names, nil
}

// set makes a set of these lists, with those of the options that are about them.
func (o *options) set(env *policy.Env, entries []rbl.Entry, keys map[string]rbl.Secret) (*rbl.Set, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	return env.Lists.NewSet(entries, rbl.SetOptions{
		Threshold: *o.threshold, Keys: keys, NoSelfTest: among(*o.untested, entries), Monitor: among(*o.monitored, entries),
		Complete: env.Explaining,
	})
}

// known reports a zone of a flag that is none of the lists.
func known(flag string, zones []string, entries []rbl.Entry) error {
	for _, zone := range zones {
		if indexZone(entries, zone) < 0 {
			var zones []string
			for _, e := range entries {
				zones = append(zones, e.Zone)
			}
			return fmt.Errorf("--%s: %s is no list of --rbl-zone or --rhsbl-zone, which are %s", flag, zone, strings.Join(zones, ", "))
		}
	}
	return nil
}

// among returns those zones, as the lists have them, that are lists of these entries.
func among(zones []string, entries []rbl.Entry) []string {
	var own []string
	for _, zone := range zones {
		if i := indexZone(entries, zone); i >= 0 {
			own = append(own, entries[i].Zone)
		}
	}
	return own
}

// indexZone finds a zone however it is written: upper or lower case, with or without its final dot.
func indexZone(entries []rbl.Entry, zone string) int {
	zone = strings.TrimSuffix(zone, ".")
	return slices.IndexFunc(entries, func(e rbl.Entry) bool { return strings.EqualFold(e.Zone, zone) })
}
