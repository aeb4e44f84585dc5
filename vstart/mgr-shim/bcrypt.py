"""Stands in for Debian 13's bcrypt in the mgr of Ceph 18; see bcrypt_refuses_mgr in start.sh.

The part of its interface that mgr modules use, by the C library's crypt(3).
"""

import ctypes
import hmac
import os

_STATE_SIZE = 32768  # sizeof(struct crypt_data)
_HASH_SIZE = 60

_libcrypt = ctypes.CDLL("libcrypt.so.1")
_libcrypt.crypt_rn.restype = ctypes.c_char_p
_libcrypt.crypt_rn.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int]
_libcrypt.crypt_gensalt_rn.restype = ctypes.c_char_p
_libcrypt.crypt_gensalt_rn.argtypes = [
    ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int,
]


def gensalt(rounds=12, prefix=b"2b"):
    output = ctypes.create_string_buffer(_HASH_SIZE)
    salt = _libcrypt.crypt_gensalt_rn(b"$" + prefix + b"$", rounds, os.urandom(16), 16, output, len(output))
    if not salt:
        raise ValueError("Invalid rounds or prefix")
    return salt


def hashpw(password, salt):
    if b"\0" in password:
        raise ValueError("password may not contain NUL bytes")
    hashed = _libcrypt.crypt_rn(password, salt, ctypes.create_string_buffer(_STATE_SIZE), _STATE_SIZE)
    if not hashed or len(hashed) != _HASH_SIZE:
        raise ValueError("Invalid salt")
    return hashed


def checkpw(password, hashed_password):
    return hmac.compare_digest(hashpw(password, hashed_password), hashed_password)
