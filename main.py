"""Runs one program of ecgmae_jax from a config file.

    python main.py --config=configs/pretrain.py --workdir=runs/pretrain
    python main.py --config=configs/pretrain.py:demo --workdir=runs/demo --config.seed=1

The config names the program; everything the program makes goes into the workdir.

Exit status: 0 when it ends well, 1 for a fault of this code, else the `exit_code` of the error in
`ecgmae_jax.errors`: 2 for a fault in what it was given, 3 for a loss that is no number, 4 for a
workdir in use, 5 for damaged checkpoints, 6 for one that could not be saved, 7 for stalled input.
"""

import os
import sys

# Without it a training step on a CPU asks the system for half a million small pages, step for
# step: a third of the time of a small model. The C library reads this when a process starts, so
# the process starts once more, under the same number.
if __name__ == "__main__" and sys.platform == "linux" and "GLIBC_TUNABLES" not in os.environ:
    os.environ["GLIBC_TUNABLES"] = "glibc.malloc.hugetlb=1"
    os.execv(sys.executable, sys.orig_argv)

import importlib
import pathlib
from collections.abc import Sequence

import jax
from absl import app, flags, logging
from ml_collections import config_flags

from ecgmae_jax.errors import Fault, InputError
from ecgmae_jax.programs import private_inputs, settings

PROGRAMS = (
    "pretrain",
    "embed",
    "linear_probe",
    "finetune",
    "predict",
    "evaluate",
    "report",
    "reconstruct",
    "attribution",
    "preview",
    "artefacts",
    "make_splits",
    "verify",
    "profile",
)

_CONFIG = config_flags.DEFINE_config_file("config", None, "Config file.", lock_config=True)
_WORKDIR = flags.DEFINE_string("workdir", None, "Folder for everything the run makes.")
flags.mark_flags_as_required(["config", "workdir"])


def main(argv: Sequence[str]) -> int:
    """Runs the program that the config names; returns the exit status."""
    _keep_libraries_quiet()
    _keep_compilations()
    config = _CONFIG.value
    try:
        if len(argv) > 1:
            given = " ".join(argv[1:])
            raise InputError(f"unknown arguments {given!r}; settings are --config.<field>=<value>")
        if config.program not in PROGRAMS:
            raise InputError(f"config.program is {config.program!r}; expected one of {PROGRAMS}")
        settings.check_local(config, workdir=_WORKDIR.value)
        settings.check_values(config)
        private_inputs.keep_private(config)
        program = importlib.import_module(f"ecgmae_jax.programs.{config.program}")
        program.run(config, pathlib.Path(_WORKDIR.value))
    except Fault as fault:
        return _say(fault, fault.exit_code)
    return 0


def _parse_flags(argv: Sequence[str]) -> list[str]:
    """As absl's own, but for faults in one line instead of a traceback."""
    _keep_libraries_quiet()
    try:
        remaining = flags.FLAGS(argv)
        # A config file that could not be read says so only when the config is used.
        _ = _CONFIG.value.program
    except Exception as fault:
        sys.exit(_say(settings.explain(argv[1:], fault), InputError.exit_code))
    return remaining


def _keep_libraries_quiet() -> None:
    # They warn of what a user of this program cannot change. absl undoes it once flags are parsed.
    logging.set_verbosity(logging.ERROR)


def _keep_compilations() -> None:
    """Has programs read from disk what an earlier run compiled; the environment may say where."""
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        cache = os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")
        jax.config.update("jax_compilation_cache_dir", str(pathlib.Path(cache) / "ecgmae_jax"))


def _say(fault: Exception | str, status: int) -> int:
    print("error:", " ".join(str(fault).splitlines()), file=sys.stderr)
    return status


if __name__ == "__main__":
    app.run(main, flags_parser=_parse_flags)
