//go:build !linux

package main

// descriptors are not counted here.
func descriptors() (limit, open uint64) { return 0, 0 }
