package postgres

import "syscall"

// capDACOverride lets a process pass directories it has no rights to (capabilities(7)). The narrower
// CAP_DAC_READ_SEARCH would do, but container engines withhold it from root by default.
const capDACOverride = 1

// endWithParent makes the kernel ask the server for a fast shutdown when its parent dies, by kill -9 too.
func endWithParent(attributes *syscall.SysProcAttr) {
	attributes.Pdeathsig = syscall.SIGINT
}

// allowReach lets the server's account pass closed directories above its own.
func allowReach(attributes *syscall.SysProcAttr) {
	attributes.AmbientCaps = []uintptr{capDACOverride}
}
