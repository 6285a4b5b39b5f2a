# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many datagrams in one system call, each with its source and the time of its arrival.

Python's own ``recvfrom`` makes a call and three objects per datagram. ``recvmmsg`` brings hundreds, and the kernel's
timestamps tell when each arrived, also those that waited while nobody received.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import socket
import struct

SIZE = 2048  # bytes of a datagram; a kernel sends at most 1,000 and a bootloader what fits in a frame
COUNT = 512  # datagrams in a call
_SO_TIMESTAMPNS_NEW = 64  # asm-generic/socket.h: 64-bit seconds everywhere
_ADDRESS = 28  # bytes of struct sockaddr_in6, the larger one
_MSG_DONTWAIT = 0x40


class _Vector(ctypes.Structure):  # struct iovec
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Header(ctypes.Structure):  # struct msghdr
    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("vectors", ctypes.c_void_p),
        ("vectors_length", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Message(ctypes.Structure):  # struct mmsghdr
    _fields_ = (("header", _Header), ("length", ctypes.c_uint32))


class _Control(ctypes.Structure):  # struct cmsghdr with a struct __kernel_timespec
    _pack_ = 4
    _layout_ = "ms"
    _fields_ = (
        ("length", ctypes.c_size_t),
        ("level", ctypes.c_int),
        ("type", ctypes.c_int),
        ("seconds", ctypes.c_int64),
        ("nanoseconds", ctypes.c_int64),
    )


# Time of arrival in seconds since 1970, source as the 4 or 16 bytes of an IP address, and at most SIZE bytes of data.
Datagram = tuple[float, bytes, bytes]


class Datagrams:
    """Receives from one socket. Memory: 1.1 MiB."""

    def __init__(self, own: socket.socket) -> None:
        """Prepare the buffers for a bound UDP socket."""
        self.socket = own
        own.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS_NEW, 1)
        self._receive = ctypes.CDLL(None, use_errno=True).recvmmsg
        self._data = mmap.mmap(-1, COUNT * SIZE)  # a slice of it is bytes
        self._names = ctypes.create_string_buffer(COUNT * _ADDRESS)
        self._controls = (_Control * COUNT)()
        self._vectors = (_Vector * COUNT)()
        self._messages = (_Message * COUNT)()
        data = ctypes.addressof(ctypes.c_char.from_buffer(self._data))
        for number in range(COUNT):
            self._vectors[number] = _Vector(data + number * SIZE, SIZE)
            self._messages[number].header = _Header(
                ctypes.addressof(self._names) + number * _ADDRESS,
                _ADDRESS,
                ctypes.addressof(self._vectors[number]),
                1,
                ctypes.addressof(self._controls[number]),
                ctypes.sizeof(_Control),
            )
        self._fresh = bytes(self._messages)  # the kernel writes lengths into it, so it is renewed before each call
        padding = ctypes.sizeof(_Message) - _Message.length.offset - 4
        self._lengths = struct.Struct(f"={_Message.length.offset}xI{padding}x")
        self._times = struct.Struct(f"={_Control.seconds.offset}xqq")
        if own.family == socket.AF_INET:
            self._sources = struct.Struct(f"=4x4s{_ADDRESS - 8}x")
        else:
            self._sources = struct.Struct(f"=8x16s{_ADDRESS - 24}x")

    def receive(self) -> list[Datagram]:
        """Return what has arrived, at most COUNT; does not wait."""
        ctypes.memmove(self._messages, self._fresh, len(self._fresh))
        count = self._receive(self.socket.fileno(), self._messages, COUNT, _MSG_DONTWAIT, None)
        if count < 0:
            error = ctypes.get_errno()
            if error in (errno.EAGAIN, errno.EINTR):
                return []
            raise OSError(error, os.strerror(error))
        lengths = self._lengths.iter_unpack(memoryview(self._messages).cast("B")[: count * self._lengths.size])
        times = self._times.iter_unpack(memoryview(self._controls).cast("B")[: count * self._times.size])
        sources = self._sources.iter_unpack(memoryview(self._names).cast("B")[: count * self._sources.size])
        data = self._data
        return [
            (seconds + nanoseconds * 1e-9, source, data[start : start + length])
            for start, (length,), (seconds, nanoseconds), (source,) in zip(
                range(0, count * SIZE, SIZE), lengths, times, sources, strict=False
            )
        ]
