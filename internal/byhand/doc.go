// Package byhand is what an administrator enters at run time about all mail: checks that only
// monitor (monitor.go), and senders and clients that are blocked or permitted (list.go). It stands
// in the state as people's entries, acts at once on every host that shares it, and what was known
// last stays in force while the state is unavailable.
package byhand
