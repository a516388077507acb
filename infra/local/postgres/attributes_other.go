//go:build !linux

package postgres

import "syscall"

// endWithParent does nothing: this system has no such notice. The next start ends the server left behind.
func endWithParent(*syscall.SysProcAttr) {}

// allowReach does nothing: on this system the cluster has to lie where its account can reach it.
func allowReach(*syscall.SysProcAttr) {}
