package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// buildHyperscan compiles the yardstick; without the library's header it returns "".
func buildHyperscan(dir string) (program string, err error) {
	if _, err := os.Stat("/usr/include/hs/hs.h"); err != nil {
		fmt.Print("Hyperscan is not installed, so it is left out (test/install.sh bench).\n\n")
		return "", nil
	}
	program = filepath.Join(dir, "hyperscan")
	cmd := exec.Command("gcc", "-O2", "-Wall", "-I/usr/include/hs", "-o", program, "bench/hyperscan/hyperscan.c", "-lhs", "-lm", "-lstdc++")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return program, nil
}

// scanWithHyperscan returns the speed.
func scanWithHyperscan(program, dir string, expressions []string, text []byte, duration time.Duration) (string, error) {
	fields, err := runHyperscan(program, dir, expressions, text, duration)
	if err != nil {
		return "", err
	}
	return fields[1], nil
}

// compileWithHyperscan returns the seconds.
func compileWithHyperscan(program, dir string, expressions []string) (string, error) {
	fields, err := runHyperscan(program, dir, expressions, []byte("x"), 0)
	if err != nil {
		return "", err
	}
	return fields[0], nil
}

func runHyperscan(program, dir string, expressions []string, text []byte, duration time.Duration) ([]string, error) {
	patterns, body := filepath.Join(dir, "patterns"), filepath.Join(dir, "text")
	if err := os.WriteFile(patterns, []byte(strings.Join(expressions, "\n")+"\n"), 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(body, text, 0o600); err != nil {
		return nil, err
	}
	var complaints bytes.Buffer
	cmd := exec.Command(program, patterns, body, fmt.Sprint(duration.Seconds()))
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	fields := strings.Fields(string(out))
	if err == nil && len(fields) != 3 {
		err = fmt.Errorf("printed %q", out)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", cmd, err, &complaints)
	}
	return fields, nil
}
