"""What every run leaves in its workdir besides its results: the config and where it came from."""

import importlib.metadata
import json
import os
import pathlib
import platform
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import jax
import ml_collections

import ecgmae_jax
from ecgmae_jax.errors import InputError

_PACKAGES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "grain", "numpy")


def open_workdir(
    workdir: pathlib.Path, config: ml_collections.ConfigDict, *, data: Mapping[str, str]
) -> dict[str, Any]:
    """Makes the folder, records `config.json` and `versions.json`; returns both as one record.

    Args:
        data: dataset name -> fingerprint of every dataset the run reads.
    """
    try:
        workdir.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as fault:
        raise InputError(f"--workdir={workdir} is a file; name a folder") from fault
    except OSError as fault:
        raise InputError(f"--workdir={workdir} cannot be made: {fault.strerror}") from fault
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
        _say_what_changed(workdir / "config.json", record["config"])
        for name, value in (("config", record["config"]), ("versions", record["versions"])):
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
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(value, indent=2) + "\n")
    os.replace(temporary, path)


def _say_what_changed(path: pathlib.Path, config: Mapping[str, Any]) -> None:
    if not path.is_file():
        return
    before, now = _flat(json.loads(path.read_text())), _flat(config)
    for key in sorted(set(before) | set(now)):
        if before.get(key) != now.get(key):
            print(f"config.{key}: {before.get(key)} -> {now.get(key)}", file=sys.stderr)


def _flat(tree: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(tree, dict):
        return {prefix[:-1]: tree}
    return {k: v for name, item in tree.items() for k, v in _flat(item, f"{prefix}{name}.").items()}
