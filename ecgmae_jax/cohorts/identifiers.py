"""Pseudonyms of patients and files: a keyed hash (HMAC-SHA256) under a key that the user keeps.

A plain hash of a hospital number is found again by hashing all numbers; under a key it is not.
"""

import hashlib
import hmac
import os
import pathlib
import stat

from ecgmae_jax.errors import InputError

_FEWEST_BYTES = 32
_FEWEST_DIFFERENT = 10
_HOW_TO_MAKE = (
    "make one with `(umask 077; head -c 32 /dev/urandom | base64 > FILE)`, outside of the cohort's "
    'folder, and name it in cohort.toml: key_file = "FILE"'
)


def read_key(folder: pathlib.Path, key_file: str) -> bytes:
    """The user's secret key.

    Args:
        folder: of the cohort; a relative `key_file` starts there.
        key_file: as `cohort.toml` names it.

    Raises:
        InputError: no key, one inside of the folder, one that others can read, or one too short or
            too uniform to keep anything secret.
    """
    if not key_file:
        raise InputError(
            f"{folder} names no key: patients and files are stored under pseudonyms alone, which "
            f"need a secret key; {_HOW_TO_MAKE}"
        )
    path = (folder / pathlib.Path(key_file).expanduser()).resolve()
    if path.is_relative_to(folder.resolve()):
        raise InputError(
            f"the key {path} lies in the cohort's folder: keep it elsewhere, or whoever gets the "
            "folder can undo the pseudonyms"
        )
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"the key {path} is no regular file; {_HOW_TO_MAKE}")
        if os.name == "posix" and status.st_mode & 0o077:
            raise InputError(f"the key {path} can be read by others: run `chmod 600 {path}`")
        key = path.read_bytes().strip()
    except OSError as fault:
        raise InputError(
            f"the key {path} cannot be read ({fault.strerror}); {_HOW_TO_MAKE}"
        ) from fault
    if len(key) < _FEWEST_BYTES or len(set(key)) < _FEWEST_DIFFERENT:
        raise InputError(
            f"the key {path} has {len(key)} bytes, {len(set(key))} of them different; expected at "
            f"least {_FEWEST_BYTES} random ones; {_HOW_TO_MAKE}"
        )
    return key


def pseudonym(key: bytes, kind: str, text: str) -> str:
    """16 hex digits that stand for a text: the same for the same key, kind and text.

    Args:
        kind: `patient` or `record`; a patient and a file of the same name differ.
    """
    # Names of files need not be valid Unicode.
    message = f"{kind}\0{text}".encode(errors="surrogateescape")
    return hmac.new(key, message, hashlib.sha256).hexdigest()[:16]


def key_mark(key: bytes) -> str:
    """Eight hex digits by which two artefacts show that they were made with the same key."""
    return pseudonym(key, "mark", "")[:8]


def group_of(source: str, patient_id: str) -> str:
    """The patient's 16 hex digits, by which splits are made."""
    return hashlib.sha256(f"{source}/{patient_id}".encode()).hexdigest()[:16]
