package config

import (
	"maps"
	"slices"
)

// Words are what gives the same when a command line has them.
func (g Given) Words() (words []string) {
	for _, name := range slices.Sorted(maps.Keys(g)) {
		for _, value := range g[name] {
			words = append(words, "--"+name+"="+value)
		}
	}
	return words
}
