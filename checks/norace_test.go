//go:build !race

package checks

// raced tells that the test was built with the race detector.
const raced = false
