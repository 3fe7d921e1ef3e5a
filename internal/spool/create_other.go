//go:build !linux

package spool

import "os"

func open(dir string) (*os.File, error) { return openNamed(dir) }
