package runtimeapi

import "syscall"

// attributes put a function in a group of its own, so that Ctrl-C reaches us alone.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
