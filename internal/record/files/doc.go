// Package files keeps the record on this host: one SQLite file a UTC day, unlinked when its time is
// over.
package files
