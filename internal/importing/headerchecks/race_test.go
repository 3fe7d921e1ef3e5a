//go:build race

package headerchecks

// keys is with how many lines each rule is held against Postfix; with the race detector, which
// makes them ten times slower, fewer.
const keys = 150
