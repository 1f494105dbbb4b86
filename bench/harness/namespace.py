"""Network namespaces of our own.

Inside one, ports cannot clash with the machine's services, its firewall does not slow some
paths and not others, and a NAT rule disappears together with the namespace.
"""

import ctypes
import fcntl
import os
import socket
import struct

from .errors import Unavailable

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS = 0x8913
SIOCSIFFLAGS = 0x8914
IFF_UP = 1

_libc = ctypes.CDLL(None, use_errno=True)


def _unshare(flags):
    if _libc.unshare(flags) != 0:
        raise Unavailable(f"unshare: {os.strerror(ctypes.get_errno())}")


def enter(descriptor):
    """Moves the calling process into the namespace behind the descriptor."""
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _current():
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _raise_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(control, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def set_sysctl(name, value):
    """Best effort: a sysctl that is absent or read-only leaves the kernel's default."""
    try:
        with open(f"/proc/sys/{name.replace('.', '/')}", "w", encoding="ascii") as file:
            file.write(value)
    except OSError:
        pass


def _settle():
    _raise_loopback()
    # Listeners are chosen below this range, so no outgoing connection can take their ports.
    set_sysctl("net.ipv4.ip_local_port_range", "16384 65535")


def move_to_own():
    """Puts this process into a fresh network namespace; Unavailable if the kernel refuses."""
    if os.geteuid() == 0:
        _unshare(CLONE_NEWNET)
    else:
        user, group = os.geteuid(), os.getegid()
        _unshare(CLONE_NEWUSER | CLONE_NEWNET)
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"),
                           ("gid_map", f"0 {group} 1")):
            try:
                with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                    file.write(text)
            except OSError as error:
                raise Unavailable(f"{name}: {error}") from error
    _settle()


class Namespace:
    """A second namespace beside the current one; it lives as long as the descriptor."""

    def __init__(self):
        home = _current()
        try:
            _unshare(CLONE_NEWNET)
            try:
                _settle()
                self.descriptor = _current()
            finally:
                enter(home)
        finally:
            os.close(home)

    def set_sysctl(self, name, value):
        home = _current()
        try:
            enter(self.descriptor)
            try:
                set_sysctl(name, value)
            finally:
                enter(home)
        finally:
            os.close(home)

    def close(self):
        os.close(self.descriptor)
