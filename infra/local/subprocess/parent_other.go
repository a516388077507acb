//go:build !linux

package subprocess

import "syscall"

// endWithParent does nothing: this system has no such notice.
func endWithParent(*syscall.SysProcAttr) {}
