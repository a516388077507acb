package runtimeapi

import "syscall"

// attributes put a function into a process group of its own, so that Ctrl-C ends this process and not the function.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
