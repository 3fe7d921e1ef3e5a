//go:build race

package content

// million is the number of lines of a bomb; with the race detector, which makes them ten times
// slower, fewer, but many times what any limit allows.
const million = 100_000
