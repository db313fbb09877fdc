"""Trees of arrays by the names of their leaves."""

import hashlib
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree


def path_name(path: jax.tree_util.KeyPath) -> str:
    """The path of a leaf as text: `params/encoder/norm/scale`."""
    return jax.tree_util.keystr(path, simple=True, separator="/")


def named_leaves(tree: PyTree) -> dict[str, Any]:
    """Each leaf under the name of its path."""
    return {path_name(path): leaf for path, leaf in jax.tree.leaves_with_path(tree)}


def differences(found: PyTree, expected: PyTree) -> list[str]:
    """One line for each leaf that is missing, unexpected, or of another shape or type."""
    have, want = (
        {name: f"{tuple(leaf.shape)} {leaf.dtype}" for name, leaf in named_leaves(tree).items()}
        for tree in (found, expected)
    )
    names = dict.fromkeys((*want, *have))
    return [
        f"{name}: found {have.get(name, 'nothing')}, expected {want.get(name, 'nothing')}"
        for name in names
        if have.get(name) != want.get(name)
    ]


def fingerprint(tree: PyTree) -> str:
    """16 hexadecimal digits that change with any name, shape, type or bit of the arrays."""
    digest = hashlib.sha256()
    leaves = named_leaves(tree)
    for name in sorted(leaves):
        array = np.asarray(leaves[name])
        digest.update(f"{name} {array.dtype} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]
