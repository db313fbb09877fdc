"""Files of weights that others trained, read as numpy arrays."""

import pathlib

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from ecgmae_jax.errors import InputError

_CONVERT = (
    "`safetensors.torch.save_file(state_dict, 'model.safetensors')` converts one where PyTorch is "
    "at hand"
)


def read_weights(path: pathlib.Path) -> dict[str, np.ndarray]:
    """Name -> array of a `.safetensors` file.

    PyTorch's own files are pickles, which run code when they are opened, and are not read.

    Raises:
        InputError: there is no such file, or it is of another kind, damaged, or holds arrays of a
            type that numpy does not have.
    """
    if not path.is_file():
        raise InputError(f"{path} is no file; name the .safetensors file of the weights")
    if path.suffix != ".safetensors":
        raise InputError(f"{path} is no .safetensors file and is not opened; {_CONVERT}")
    try:
        return load_file(path)
    except (SafetensorError, TypeError, KeyError, ValueError, OSError) as fault:
        raise InputError(
            f"{path} cannot be read: {fault}; fetch it again, with arrays in float32 or float16"
        ) from fault
