package config

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// Suggest returns ", did you mean --x?" for the flag that is nearest to a name, "" when none is
// near.
func Suggest(set *pflag.FlagSet, name string) string {
	if best := nearest(set, name); best != "" {
		return fmt.Sprintf(", did you mean --%s?", best)
	}
	return ""
}

// nearest is the flag whose name takes the fewest changes, at most a third of the letters; "" when
// none is near. The mode of a check is the flag of its name, and often looked for as CHECK-mode.
func nearest(set *pflag.FlagSet, name string) string {
	if check, ok := strings.CutSuffix(name, "-mode"); ok {
		if f := set.Lookup(check); f != nil && !f.Hidden {
			return check
		}
	}
	best, least := "", max(len(name)/3, 1)+1
	set.VisitAll(func(f *pflag.Flag) {
		if d := distance(f.Name, name); d < least && !f.Hidden {
			best, least = f.Name, d
		}
	})
	return best
}

// distance is the number of letters to insert, delete or replace between a and b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
