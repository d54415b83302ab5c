# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright 2026 The Moat authors

"""A network of our own that holds nothing but loopback, where Linux lets us have one: what the
machine does with its loopback meanwhile does not reach the tests, and gnutls-serv, which listens on
every address, can be reached by nobody else."""

import ctypes
import fcntl
import os
import pathlib
import socket
import struct

# <linux/sched.h>, <linux/sockios.h>, <linux/if.h>
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
IFF_UP = 1


def leave():
    """Leaves the machine's network for an empty one; anybody but root needs a user namespace."""
    user, group = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET | (CLONE_NEWUSER if user != 0 else 0)) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    if user != 0:
        process = pathlib.Path("/proc/self")
        (process / "setgroups").write_text("deny")
        (process / "uid_map").write_text(f"0 {user} 1")
        (process / "gid_map").write_text(f"0 {group} 1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", IFF_UP))


def enter_own():
    """Whether we are in a network of our own now. A process that failed half-way would be left
    without any, so a child tries first."""
    child = os.fork()
    if child == 0:
        try:
            leave()
            os._exit(0)
        except (OSError, AttributeError):
            os._exit(1)
    if os.waitpid(child, 0)[1] != 0:
        return False
    leave()
    return True
