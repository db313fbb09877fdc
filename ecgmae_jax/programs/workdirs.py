"""What every run leaves in its workdir besides its results: the config and where it came from."""

import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import jax
import ml_collections

import ecgmae_jax
from ecgmae_jax import locks
from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.publishing import write_whole

_PACKAGES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "grain", "numpy")


def open_workdir(
    workdir: pathlib.Path, config: ml_collections.ConfigDict, *, data: Mapping[str, str]
) -> dict[str, Any]:
    """Makes the folder, records what runs in it; returns config and versions as one record.

    Writes `config.json` and `versions.json`, and adds a line to `history.jsonl`: when this run
    began and what differs from the one before, which is also said on stderr. Holds the folder for
    this process alone until it ends.

    Args:
        data: dataset name -> fingerprint of every dataset the run reads.

    Raises:
        InputError: the folder cannot be made or written, or holds checkpoints of a training on
            other data.
        InUse: another process works in it.
    """
    record = {
        "config": json.loads(config.to_json_best_effort()),
        "versions": {
            "code": code_version(),
            "data": dict(data),
            "python": platform.python_version(),
            "packages": {name: importlib.metadata.version(name) for name in _PACKAGES},
            "devices": sorted({device.device_kind for device in jax.devices()}),
            "command": sys.argv,
        },
    }
    if jax.process_index() == 0:
        _take(workdir)
        before = {name: read_json(workdir / f"{name}.json") for name in record}
        _require_same_data(workdir, before["versions"].get("data"), data)
        _tell_what_changed(workdir, before, record)
        for name, value in record.items():
            write_json(workdir / f"{name}.json", value)
    return record


def code_version() -> str:
    """The package's version and, in a git checkout, its commit; `+` where files were changed."""
    version = ecgmae_jax.__version__
    command = ["git", "-C", str(pathlib.Path(__file__).parent), "describe", "--always", "--dirty=+"]
    try:
        described = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return version
    return f"{version} ({described.stdout.strip()})"


def write_json(path: pathlib.Path, value: Any) -> None:
    """Writes the file whole or not at all."""
    write_whole(path, f"{json.dumps(value, indent=2)}\n".encode())


def _take(workdir: pathlib.Path) -> None:
    """Makes the folder, locks it, and clears away what a killed run left half written."""
    try:
        workdir.mkdir(parents=True, exist_ok=True)
        locks.acquire(workdir / ".lock")
        for path in (*workdir.glob(".unfinished-*"), *workdir.glob(".*.json*.[0-9]*")):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    except (FileExistsError, NotADirectoryError) as fault:
        raise InputError(f"--workdir={workdir} is a file; name a folder") from fault
    except OSError as fault:
        raise InputError(
            f"--workdir={workdir} cannot be made or written: {fault.strerror}"
        ) from fault


def _require_same_data(
    workdir: pathlib.Path, before: Mapping[str, str] | None, now: Mapping[str, str]
) -> None:
    """Half a training on one dataset and half on another would be a model of neither."""
    if before and before != dict(now) and any(workdir.glob("checkpoints/*")):
        raise InputError(
            f"{workdir} holds the checkpoints of a training on {_listed(before)}, and config.data "
            f"is now {_listed(now)}; bring the first dataset back, or start in another workdir"
        )


def _listed(data: Mapping[str, str]) -> str:
    return ", ".join(f"{name} with fingerprint {mark}" for name, mark in data.items())


def _tell_what_changed(
    workdir: pathlib.Path, before: Mapping[str, Any], now: Mapping[str, Any]
) -> None:
    old, new = _flat(before), _flat(now)
    names = [name for name in {**old, **new} if not name.startswith("versions.command")]
    changed = {name: [old.get(name), new.get(name)] for name in sorted(names)}
    changed = {name: pair for name, pair in changed.items() if pair[0] != pair[1]}
    again = bool(before["config"])
    if again:
        for name, (was, is_now) in changed.items():
            print(f"{name}: {was} -> {is_now}", file=sys.stderr)
    began = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
    line = {"began": began, "process": os.getpid(), "changed": changed if again else {}}
    with (workdir / "history.jsonl").open("a") as file:
        print(json.dumps(line), file=file)


def read_json(path: pathlib.Path) -> dict[str, Any]:
    """What a run wrote as an object; an empty one where there is none that can be read."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _flat(tree: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(tree, dict):
        return {prefix[:-1]: tree}
    return {k: v for name, item in tree.items() for k, v in _flat(item, f"{prefix}{name}.").items()}
