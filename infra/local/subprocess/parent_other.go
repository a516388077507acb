//go:build !linux

package subprocess

import "syscall"

// endWithParent does nothing: this system sends no signal when a parent ends.
func endWithParent(*syscall.SysProcAttr) {}
