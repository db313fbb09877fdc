"""Fitted probes as NumPy archives without pickles, complete enough to be applied elsewhere."""

import io
import json
import os
import zipfile

import numpy as np

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.readouts.probes import Probe

# What numpy and zipfile raise for a file that is none; TypeError for a single array.
_NO_PROBE = (
    ValueError,
    IndexError,
    KeyError,
    AttributeError,
    TypeError,
    EOFError,
    OSError,
    MemoryError,
    zipfile.BadZipFile,
)
_ARRAYS = ("mean", "scale", "coefficients", "intercept", "chosen_c")


def probe_bytes(probe: Probe) -> bytes:
    """The content of a probe file."""
    buffer = io.BytesIO()
    np.savez(
        buffer,
        classes=np.array(probe.classes, dtype=str),
        exclusive=np.array(probe.exclusive),
        metadata=np.array(json.dumps(dict(probe.metadata))),
        **{name: getattr(probe, name) for name in _ARRAYS},
    )
    return buffer.getvalue()


def load_probe(path: str | os.PathLike) -> Probe:
    """The probe in a file that `linear_probe` wrote.

    Its metadata name the task, the encoder, pooling and checkpoint whose embeddings it reads, and
    the rule that aggregates a record's pictures.
    """
    try:
        # Opened here, since np.load leaves a damaged archive open.
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in _ARRAYS}
            classes = tuple(str(name) for name in archive["classes"])
            features = (arrays["coefficients"].shape[-1],)
            shapes = (features, features, (len(classes), *features), (len(classes),))
            if tuple(array.shape for array in arrays.values()) != (*shapes, shapes[-1]):
                raise ValueError("arrays that do not fit together")
            return Probe(
                classes=classes,
                exclusive=bool(archive["exclusive"]),
                metadata=json.loads(str(archive["metadata"])),
                **arrays,
            )
    except FileNotFoundError as fault:
        raise InputError(f"{path}: no such file; make it with configs/linear_probe.py") from fault
    except _NO_PROBE as fault:
        raise InputError(
            f"{path}: not a probe file ({type(fault).__name__}); expected one of the folder "
            "probes/ that linear_probe writes"
        ) from fault
