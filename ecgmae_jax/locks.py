"""One process at a time in a folder.

The kernel holds the lock (flock), so it ends with the process however that ends, and nothing stale
is left to be judged: a run that was killed starts again on this machine or on another.
"""

import datetime
import fcntl
import os
import pathlib
import platform
import sys

from ecgmae_jax.errors import InUse


def acquire(path: pathlib.Path) -> int:
    """Takes the lock until `release` or the end of this process; returns its handle.

    A process that holds it already may take it again. Where the file system knows no locks, one
    line on stderr says so.

    Args:
        path: of the lock file; it is made, and says who holds it.

    Raises:
        InUse: another process holds it.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    us = f"process {os.getpid()} on {platform.node()}"
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(handle, 500, 0).decode(errors="replace").strip()
        if holder.startswith(f"{us} "):
            return handle
        os.close(handle)
        raise InUse(
            f"{path.parent} is in use by {holder or 'another process'}; wait for it to end, end "
            "it, or name another folder"
        ) from None
    except OSError as fault:
        print(
            f"{path.parent} cannot be locked ({fault.strerror}): see that one run alone uses it",
            file=sys.stderr,
        )
        return handle
    if not path.exists() or os.fstat(handle).st_ino != path.stat().st_ino:
        # Its holder ended and removed it between our two calls.
        os.close(handle)
        return acquire(path)
    since = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{us} since {since}\n".encode(), 0)
    return handle


def release(path: pathlib.Path, handle: int) -> None:
    """Gives the lock back and removes its file."""
    path.unlink(missing_ok=True)
    os.close(handle)
