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

// user is the account a server runs under; nil means the caller's own.
type user struct {
	uid, gid int
	// reach says that the account cannot reach the cluster's directory by its own rights, as below root's home.
	reach bool
}

// serverUser returns the account for a cluster in dir. PostgreSQL refuses to run as root, so root lends it the account
// of the package, or nobody's.
func serverUser(dir string) (*user, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	account, err := osuser.Lookup("postgres")
	if err != nil {
		account, err = osuser.Lookup("nobody")
	}
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root, and there is no account postgres or nobody: %w", err)
	}
	uid, err := strconv.Atoi(account.Uid)
	if err != nil {
		return nil, fmt.Errorf("read account %s: %w", account.Username, err)
	}
	gid, err := strconv.Atoi(account.Gid)
	if err != nil {
		return nil, fmt.Errorf("read account %s: %w", account.Username, err)
	}
	return &user{uid: uid, gid: gid, reach: closedAbove(dir)}, nil
}

// closedAbove reports whether a directory above dir is closed to other accounts.
func closedAbove(dir string) bool {
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

// own gives path to the account.
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
	if u.reach {
		allowReach(cmd.SysProcAttr)
	}
}
