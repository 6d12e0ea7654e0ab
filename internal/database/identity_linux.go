package database

import (
	"os/user"
	"strconv"
	"syscall"
)

// locale sorts by code point and knows the letters of every script.
const locale = "C.UTF-8"

// attributes start a process as the identity, in a process group of its own: Ctrl-C in the terminal is for us, and we
// end the server when nobody needs it any more.
func (id identity) attributes(dieWithUs bool) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true}
	if dieWithUs {
		a.Pdeathsig = syscall.SIGINT // the fast, clean shutdown
	}
	switch {
	case id.namespace:
		uid := namespaceUser()
		a.Cloneflags = syscall.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: 0, Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: 0, Size: 1}}
	case id.change:
		a.Credential = &syscall.Credential{Uid: uint32(id.uid), Gid: uint32(id.gid)}
	}
	return a
}

// namespaceUser is who the server believes to be inside the namespace. initdb insists on a user that has a name.
func namespaceUser() int {
	for _, name := range []string{"postgres", "daemon", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			if uid, err := strconv.Atoi(u.Uid); err == nil {
				return uid
			}
		}
	}
	return 1000
}
