//go:build !linux

package database

import "syscall"

// locale is one that every Unix of this kind has.
const locale = "en_US.UTF-8"

// attributes start a process as the identity. Without Linux's signal at the parent's death, a killed parent leaves the
// server running, and the next start says so.
func (id identity) attributes(bool) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true}
	if id.change {
		a.Credential = &syscall.Credential{Uid: uint32(id.uid), Gid: uint32(id.gid)}
	}
	return a
}
