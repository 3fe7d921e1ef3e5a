package rbl

import (
	"fmt"
	"regexp"
	"strings"

	"mailweir/internal/dns"
)

var keyName = regexp.MustCompile(`^\{([A-Za-z][A-Za-z0-9_-]*)\}$`)

// checkZone normalises the name of a zone and refuses those that cannot work. No error repeats a
// key.
func checkZone(kind Kind, zone string) (string, *zoneInfo, error) {
	zone, err := normalZone(zone)
	if err != nil {
		return "", nil, err
	}
	if r := retired(zone); r != nil {
		return "", nil, fmt.Errorf("list %s is dead since %s: %s (%s); remove it", zone, r.since, r.reason, r.source)
	}
	if err := checkPlaces(zone); err != nil {
		return "", nil, err
	}
	info := knownZone(zone)
	if info == nil {
		return zone, nil, nil
	}
	if info.keyed && !strings.HasPrefix(zone, "{") {
		return "", nil, fmt.Errorf("list KEY.%s: the key stands in the configuration, where logs and process lists show it; "+
			"put it in a file, name that file with --rbl-key NAME=FILE and write {NAME}.%s", info.zone, info.zone)
	}
	if info.kind != kind {
		hint := "name it with --rhsbl-zone"
		if info.kind == Addresses {
			hint = "name it with --rbl-zone"
		}
		return "", nil, fmt.Errorf("list %s lists %s, not %s: %s", zone, info.kind, kind, hint)
	}
	return zone, info, nil
}

// normalZone folds case and checks the labels; {NAME} keeps its case.
func normalZone(zone string) (string, error) {
	zone = strings.TrimSuffix(zone, ".")
	labels := strings.Split(zone, ".")
	for i, label := range labels {
		if keyName.MatchString(label) {
			continue
		}
		labels[i] = strings.ToLower(label)
		if err := checkLabel(labels[i]); err != nil {
			return "", fmt.Errorf("list %q: not a domain name (%w); write ZONE[=filter][*weight], as in bl.example.org=127.0.0.[2..11]*2", hideKey(zone), err)
		}
	}
	zone = strings.Join(labels, ".")
	if len(labels) < 2 || len(zone) > dns.MaxName-64 {
		return "", fmt.Errorf("list %q: write the full domain name of the list, as in bl.example.org", hideKey(zone))
	}
	return zone, nil
}

// hideKey is for messages about a zone that is too broken to be found in the table.
func hideKey(zone string) string {
	folded := lowerASCII(zone)
	for i := range knownZones {
		z := &knownZones[i]
		if at := strings.Index(folded, "."+z.zone); z.keyed && at >= 0 {
			return "KEY" + zone[at:]
		}
	}
	if at := strings.Index(folded, "dq.spamhaus"); at >= 0 {
		return "KEY." + zone[at:]
	}
	return zone
}

// lowerASCII keeps every octet in its place, which strings.ToLower does not do for octets that are
// no UTF-8.
func lowerASCII(s string) string {
	folded := []byte(s)
	for i, c := range folded {
		if 'A' <= c && c <= 'Z' {
			folded[i] = c + 'a' - 'A'
		}
	}
	return string(folded)
}

// checkPlaces catches what users really wrote instead of a keyed zone: the wrong top-level domain,
// or no key.
func checkPlaces(zone string) error {
	switch {
	case zone == "dq.spamhaus.org", zone == "dq.spamhaus.com",
		strings.HasSuffix(zone, ".dq.spamhaus.org"), strings.HasSuffix(zone, ".dq.spamhaus.com"):
		return fmt.Errorf("list KEY.….dq.spamhaus.…: Spamhaus's keyed zones end in dq.spamhaus.net: write {NAME}.zen.dq.spamhaus.net")
	}
	for i := range knownZones {
		if z := &knownZones[i]; z.keyed && zone == z.zone {
			return fmt.Errorf("list %s needs a customer's key in front: write {NAME}.%s and name the file with --rbl-key NAME=FILE", zone, zone)
		}
	}
	if strings.HasSuffix(zone, ".dq.spamhaus.net") && knownZone(zone) == nil {
		return fmt.Errorf("list KEY.….dq.spamhaus.net: no such keyed zone; there are zen, sbl, xbl, pbl, sbl-xbl, authbl, dbl and zrd")
	}
	return nil
}
