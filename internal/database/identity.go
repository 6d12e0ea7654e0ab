package database

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// identity is whom the server's processes run as. PostgreSQL refuses to be root; an ordinary user's runs as that user.
type identity struct {
	uid, gid  int  // owner of the files
	change    bool // become that user
	namespace bool // stay root outside, but look like somebody else inside a user namespace
}

// chooseIdentity finds a way to run PostgreSQL that can reach dir. As root that is the postgres user where it can enter
// the folder; in a 0700 folder it is a user namespace, which changes nothing about the files.
func chooseIdentity(p programs, dir string) (identity, error) {
	if os.Geteuid() != 0 {
		return identity{uid: os.Getuid(), gid: os.Getgid()}, nil
	}
	var ways []identity
	if id, ok := account("postgres"); ok {
		ways = append(ways, id)
	}
	ways = append(ways, identity{namespace: true})
	if id, ok := account("nobody"); ok {
		ways = append(ways, id)
	}
	for _, id := range ways {
		if id.canEnter(p, dir) {
			return id, nil
		}
	}
	return identity{}, fmt.Errorf("PostgreSQL does not run as root, no other user can enter %s, and this system allows no user namespaces: "+
		"run as an ordinary user, choose a DATA_DIR that every user can enter (for example below /var/lib), or set DATABASE_URL", dir)
}

// account is the identity of a user of this system.
func account(name string) (identity, bool) {
	u, err := user.Lookup(name)
	if err != nil {
		return identity{}, false
	}
	uid, errUID := strconv.Atoi(u.Uid)
	gid, errGID := strconv.Atoi(u.Gid)
	return identity{uid: uid, gid: gid, change: true}, errUID == nil && errGID == nil && uid != 0
}

// canEnter tries it: rules about who may enter what have more sources than mode bits.
func (id identity) canEnter(p programs, dir string) bool {
	cmd := exec.Command(p.path("postgres"), "--version") //nolint:gosec,noctx // a program that we found, and a moment
	cmd.Dir = dir                                        // entered after becoming the user
	cmd.SysProcAttr = id.attributes(false)
	return cmd.Run() == nil
}

// own gives a folder with all it holds to the identity, unless it has it already. The walk cannot be led out of the
// folder by a link: its user may be another than we, and we are root.
func (id identity) own(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("giving %s to the server's user: %w", dir, err)
	}
	defer func() { _ = root.Close() }()
	info, err := root.Stat(".")
	if err != nil {
		return fmt.Errorf("giving %s to the server's user: %w", dir, err)
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok && int(s.Uid) == id.uid {
		return nil
	}
	err = fs.WalkDir(root.FS(), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return root.Lchown(path, id.uid, id.gid)
	})
	if err != nil {
		return fmt.Errorf("giving %s to the server's user: %w", dir, err)
	}
	return nil
}

// folderMode lets the server's user pass through to the data folder, which is 0700 itself, but see nothing.
func folderMode() os.FileMode {
	if os.Geteuid() == 0 {
		return 0o711
	}
	return 0o700
}
