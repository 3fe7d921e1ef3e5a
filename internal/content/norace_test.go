//go:build !race

package content

// million is the number of lines of a bomb.
const million = 1_000_000
