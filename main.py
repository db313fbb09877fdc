"""Runs one program of ecgmae_jax from a config file.

    python main.py --config=configs/pretrain.py --workdir=runs/pretrain
    python main.py --config=configs/pretrain.py:demo --workdir=runs/demo --config.seed=1

The config names the program; everything the program makes goes into the workdir.
"""

import importlib
import pathlib
import sys
from collections.abc import Sequence

from absl import app, flags, logging
from ml_collections import config_flags

from ecgmae_jax.errors import InputError, NonFiniteLoss

PROGRAMS = (
    "pretrain",
    "embed",
    "linear_probe",
    "finetune",
    "evaluate",
    "reconstruct",
    "preview",
    "artefacts",
)

_CONFIG = config_flags.DEFINE_config_file("config", None, "Config file.", lock_config=True)
_WORKDIR = flags.DEFINE_string("workdir", None, "Folder for everything the run makes.")
flags.mark_flags_as_required(["config", "workdir"])


def main(argv: Sequence[str]) -> int:
    """Runs the program that the config names.

    Returns:
        0 when it ends well, 2 for a fault in the input, 3 when the loss is no number any more.
    """
    if len(argv) > 1:
        raise app.UsageError(f"unknown arguments {argv[1:]}; settings are --config.<field>=<value>")
    # Libraries warn of what a user of this program cannot change.
    logging.set_verbosity(logging.ERROR)
    config = _CONFIG.value
    try:
        if config.program not in PROGRAMS:
            raise InputError(f"config.program is {config.program!r}; expected one of {PROGRAMS}")
        program = importlib.import_module(f"ecgmae_jax.programs.{config.program}")
        program.run(config, pathlib.Path(_WORKDIR.value))
    except InputError as fault:
        print(f"error: {fault}", file=sys.stderr)
        return 2
    except NonFiniteLoss as fault:
        print(f"error: {fault}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    app.run(main)
