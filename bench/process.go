package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// ticksPerSecond is USER_HZ, in which /proc counts; Linux has used 100 on every
// platform for decades, and a program without cgo can't ask.
const ticksPerSecond = 100

// cpuTime is the CPU time that a process has used so far, in user and system
// mode, threads that have ended among it (proc(5), /proc/PID/stat).
func cpuTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The command name may hold spaces; the fields after it count from 3.
	rest := string(text[strings.LastIndexByte(string(text), ')')+1:])
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(f))
	}
	user, err := strconv.ParseInt(f[11], 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(f[12], 10, 64)
	if err != nil {
		return 0, err
	}
	return time.Duration(user+system) * time.Second / ticksPerSecond, nil
}

// familyCPU is the CPU time of a process and its children.
func familyCPU(pid int) (time.Duration, error) {
	sum, err := cpuTime(pid)
	if err != nil {
		return 0, err
	}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return 0, err
	}
	for child := range strings.FieldsSeq(string(children)) {
		id, err := strconv.Atoi(child)
		if err != nil {
			return 0, err
		}
		own, err := cpuTime(id)
		if err != nil {
			return 0, err
		}
		sum += own
	}
	return sum, nil
}

// peakMemory is the largest resident size of a process so far, in KiB (VmHWM).
func peakMemory(pid int) (int, error) { return statusSize(pid, "VmHWM") }

// residentMemory is the resident size of a process, in KiB (VmRSS).
func residentMemory(pid int) (int, error) { return statusSize(pid, "VmRSS") }

// statusSize reads a size of /proc/PID/status, in KiB.
func statusSize(pid int, name string) (int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, name+":"); found {
			return strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
		}
	}
	return 0, fmt.Errorf("/proc/%d/status has no %s", pid, name)
}
