package postgres

import (
	"fmt"
	"os"
	"os/exec"
	osuser "os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// user is the account that a server runs under; nil is the account of this process.
type user struct {
	uid, gid int
	// noAccess means that the account may not enter a directory above the cluster, such as the home of root.
	noAccess bool
}

// serverUser returns the account for a cluster in dir. PostgreSQL refuses to run as root, so root uses the account
// "postgres" of the package, or "nobody".
func serverUser(dir string) (*user, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	account, err := osuser.Lookup("postgres")
	if err != nil {
		account, err = osuser.Lookup("nobody")
	}
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL refuses to run as root, and there is no account postgres or nobody: %w", err)
	}
	uid, err := strconv.Atoi(account.Uid)
	if err != nil {
		return nil, fmt.Errorf("read account %s: %w", account.Username, err)
	}
	gid, err := strconv.Atoi(account.Gid)
	if err != nil {
		return nil, fmt.Errorf("read account %s: %w", account.Username, err)
	}
	return &user{uid: uid, gid: gid, noAccess: hasPrivateParent(dir)}, nil
}

// hasPrivateParent reports whether other accounts may not enter one of the directories above dir.
func hasPrivateParent(dir string) bool {
	for parent := filepath.Dir(dir); ; parent = filepath.Dir(parent) {
		info, err := os.Stat(parent)
		if err == nil && info.Mode().Perm()&0o001 == 0 {
			return true
		}
		if parent == filepath.Dir(parent) {
			return false
		}
	}
}

// own makes the account the owner of path.
func (u *user) own(path string) error {
	if u == nil {
		return nil
	}
	if err := os.Chown(path, u.uid, u.gid); err != nil {
		return fmt.Errorf("give %s to PostgreSQL's account: %w", path, err)
	}
	return nil
}

// apply makes cmd run under the account.
func (u *user) apply(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if u == nil {
		return
	}
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(u.uid), Gid: uint32(u.gid)}
	if u.noAccess {
		ignorePermissions(cmd.SysProcAttr)
	}
}
