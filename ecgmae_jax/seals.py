"""What tells one large file from another without reading it whole."""

import hashlib
import os
import pathlib

_END_BYTES = 65_536


def seal(path: pathlib.Path) -> str:
    """16 hexadecimal digits of the file's size, its beginning and its end.

    Two shards of one dataset differ in it: their ends hold the places of all their records. It is
    no guard against a change made on purpose.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        for start in (0, max(0, size - _END_BYTES)):
            file.seek(start)
            digest.update(file.read(_END_BYTES))
    digest.update(str(size).encode())
    return digest.hexdigest()[:16]
