//go:build !race

package headerchecks

// keys is with how many lines each rule is held against Postfix.
const keys = 1000
