//go:build !linux

package postgres

import "syscall"

// allowReach does nothing: on this system the cluster has to lie where its account can reach it.
func allowReach(*syscall.SysProcAttr) {}
