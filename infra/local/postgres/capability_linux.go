package postgres

import "syscall"

// capDACOverride is CAP_DAC_OVERRIDE of capabilities(7): file permissions are not checked. CAP_DAC_READ_SEARCH would be
// enough, but container engines do not give it to root by default.
const capDACOverride = 1

// ignorePermissions lets a process enter directories that its account may not enter.
func ignorePermissions(attributes *syscall.SysProcAttr) {
	attributes.AmbientCaps = []uintptr{capDACOverride}
}
