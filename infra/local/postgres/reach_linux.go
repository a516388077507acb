package postgres

import "syscall"

// capDACOverride lets a process pass directories it has no rights to (capabilities(7)). The narrower
// CAP_DAC_READ_SEARCH would do, but container engines withhold it from root by default.
const capDACOverride = 1

// allowReach lets the server's account pass closed directories above its own.
func allowReach(attributes *syscall.SysProcAttr) {
	attributes.AmbientCaps = []uintptr{capDACOverride}
}
