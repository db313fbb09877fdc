"""Where each array of a state or a batch lies on the mesh. Models never see a mesh."""

import math
import re
from collections.abc import Callable, Mapping, Sequence

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import PyTree

from ecgmae_jax.errors import InputError
from ecgmae_jax.training.mesh import AXES
from ecgmae_jax.training.trees import path_name

Spec = Callable[[tuple[int, ...], Mesh], PartitionSpec]
Leaf = jax.Array | np.ndarray | jax.ShapeDtypeStruct
Rules = Sequence[tuple[str, Spec]]


def replicated(shape: tuple[int, ...], mesh: Mesh) -> PartitionSpec:
    """Every device holds the whole array."""
    del shape, mesh
    return PartitionSpec()


def largest_axis(*, leading_axes: int = 0, min_elements: int = 2**16) -> Spec:
    """A rule that cuts the largest axis divisible by the mesh's fsdp size.

    Args:
        leading_axes: axes at the front that are never cut, such as that of stacked layers: a
            scan over layers would have to gather each one.
        min_elements: smaller arrays stay whole; sending them around costs more than it saves.
    """

    def spec(shape: tuple[int, ...], mesh: Mesh) -> PartitionSpec:
        pieces = mesh.shape["fsdp"]
        axes = [i for i in range(leading_axes, len(shape)) if shape[i] % pieces == 0]
        if pieces == 1 or math.prod(shape) < min_elements or not axes:
            return PartitionSpec()
        cut = max(axes, key=lambda i: shape[i])
        return PartitionSpec(*("fsdp" if i == cut else None for i in range(len(shape))))

    return spec


# First match wins. `blocks` are transformer blocks stacked along a leading axis.
RULES: Rules = ((r"(^|/)blocks/", largest_axis(leading_axes=1)), (r"", largest_axis()))


def state_shardings(state: PyTree, mesh: Mesh, *, rules: Rules = RULES) -> PyTree:
    """The tree of `state` with a sharding in place of each array.

    Optimizer moments carry their parameter's path inside their own, so they lie where it lies.

    Args:
        state: any tree of arrays or of their shapes (`jax.eval_shape`).
        mesh: from `make_mesh`.
        rules: (regular expression searched in the path, spec); the first match decides.

    Raises:
        InputError: a path that no rule matches.
    """

    def sharding(path: jax.tree_util.KeyPath, leaf: Leaf) -> NamedSharding:
        name = path_name(path)
        for pattern, spec in rules:
            if re.search(pattern, name):
                return NamedSharding(mesh, spec(leaf.shape, mesh))
        raise InputError(f"no sharding rule matches {name}; end the rules with ('', replicated)")

    return jax.tree.map_with_path(sharding, state)


def batch_sharding(mesh: Mesh) -> NamedSharding:
    """Examples spread over all devices: both axes of the mesh divide the first axis."""
    return NamedSharding(mesh, PartitionSpec(AXES))


def place_batch(batch: Mapping[str, np.ndarray], mesh: Mesh) -> dict[str, jax.Array]:
    """The batch on the devices; each process gives its own share of the examples.

    Raises:
        InputError: the examples cannot be spread evenly over the devices.
    """
    sharding = batch_sharding(mesh)
    for name, array in batch.items():
        examples = len(array) * jax.process_count()
        if examples % mesh.size:
            raise InputError(
                f"batch of {examples} examples ({name}) cannot be spread evenly over {mesh.size} "
                f"devices; choose a batch size that is a multiple of {mesh.size}"
            )
    return {
        name: jax.make_array_from_process_local_data(sharding, array)
        for name, array in batch.items()
    }
