//go:build !linux

package runtimeapi

// limit does nothing: only Linux can bound the memory of a process.
func limit(int, int) error { return nil }

// peak is always 0: only on Linux can it be read.
func peak(int) (int64, error) { return 0, nil }
