// Package report sums the record up.
package report
