// Package report adds up what is in the record: what was refused, by what and for whom, and who
// sends most. It goes through the record once and keeps a bounded number of names of each kind.
package report
