"""The SHA-256 of every file of a checkpoint: Orbax itself does not notice that bytes changed."""

import hashlib
import json
import pathlib
import sys
from collections.abc import Sequence

NAME = "manifest.json"
# Orbax writes these while it commits a step, and finds the arrays without them.
_UNCOVERED = ("_CHECKPOINT_METADATA", "commit_success.txt", NAME)
_ASIDE = "damaged-"


def write_manifest(folder: pathlib.Path) -> None:
    """Records what the files of a step are, once they are all there."""
    sums = {
        str(path.relative_to(folder)): _sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in _UNCOVERED
    }
    (folder / NAME).write_text(json.dumps(sums, indent=0))


def damage(folder: pathlib.Path, *, parts: Sequence[str] = ("",)) -> str | None:
    """What is wrong with a saved step, in a few words; None where it is whole.

    Args:
        folder: of the step.
        parts: beginnings of the names of the files that matter; all of them by default.
    """
    try:
        sums = json.loads((folder / NAME).read_text())
        names = [name for name in sums if name.startswith(tuple(parts))]
    except FileNotFoundError:
        return f"{NAME} is missing"
    except (OSError, ValueError, AttributeError):
        return f"{NAME} cannot be read"
    for name in names:
        try:
            if _sha256(folder / name) != sums[name]:
                return f"{name} holds other bytes than were saved"
        except OSError as fault:
            return f"{name}: {fault.strerror}"
    if not names:
        return f"{NAME} names no file of {', '.join(parts)}"
    return None


def set_damaged_aside(folder: pathlib.Path) -> None:
    """Renames every damaged step of the folder, 20 to damaged-20, and says so on stderr.

    Orbax would neither notice the damage nor pass over the step, and saving the same step once
    more would do nothing while it lies there.
    """
    for step in saved_steps(folder):
        fault = damage(step)
        if fault is None:
            continue
        aside = step.with_name(f"{_ASIDE}{step.name}")
        again = 2
        while aside.exists():
            aside = step.with_name(f"{_ASIDE}{step.name}-{again}")
            again += 1
        step.rename(aside)
        print(f"checkpoint {step} is damaged: {fault}; set aside as {aside.name}", file=sys.stderr)


def saved_steps(folder: pathlib.Path) -> list[pathlib.Path]:
    """The folders of the steps, oldest first."""
    steps = [path for path in folder.glob("*") if path.name.isdigit()]
    return sorted(steps, key=lambda path: int(path.name))


def steps_aside(folder: pathlib.Path) -> list[str]:
    """Names of the steps that were set aside."""
    return sorted(path.name for path in folder.glob(f"{_ASIDE}*"))


def _sha256(path: pathlib.Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
