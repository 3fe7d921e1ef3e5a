//go:build race

package testbed

// raceEnabled tells that the test itself was built with -race; then mailweir
// is built so too.
const raceEnabled = true
