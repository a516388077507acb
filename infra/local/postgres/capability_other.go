//go:build !linux

package postgres

import "syscall"

// ignorePermissions does nothing: on this system the cluster must be in a directory that its account may enter.
func ignorePermissions(*syscall.SysProcAttr) {}
