package subprocess

import "syscall"

// endWithParent makes the kernel send SIGINT to the child when this process ends.
func endWithParent(attributes *syscall.SysProcAttr) {
	attributes.Pdeathsig = syscall.SIGINT
}
