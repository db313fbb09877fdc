import re

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.sharding import PartitionSpec as P

from ecgmae_jax.errors import InputError
from ecgmae_jax.training import mesh, sharding


def spec_of(shape, *, name="params/head/kernel", fsdp=4, rules=sharding.RULES):
    keys = name.split("/")
    tree = jax.ShapeDtypeStruct(shape, jnp.float32)
    for key in reversed(keys):
        tree = {key: tree}
    placed = sharding.state_shardings(tree, mesh.make_mesh(fsdp=fsdp), rules=rules)
    return jax.tree.leaves(placed)[0].spec


def test_the_largest_divisible_axis_of_a_big_matrix_is_cut():
    assert spec_of((512, 1024)) == P(None, "fsdp")
    assert spec_of((1024, 512)) == P("fsdp", None)
    assert spec_of((512, 1023)) == P("fsdp", None)


def test_what_is_small_or_indivisible_stays_whole():
    assert spec_of((1024,)) == P()
    assert spec_of(()) == P()
    assert spec_of((1021, 1023)) == P()
    assert spec_of((512, 1024), fsdp=1) == P()


def test_the_axis_of_stacked_layers_is_never_cut():
    assert spec_of((1024, 64, 8), name="params/encoder/blocks/mlp/kernel") == P(None, "fsdp", None)
    assert spec_of((1024, 64, 8), name="params/encoder/kernel") == P("fsdp", None, None)


def test_moments_lie_where_their_parameters_lie():
    params = {
        "blocks": {"kernel": jnp.zeros((4, 256, 256)), "bias": jnp.zeros((4, 256))},
        "head": jnp.zeros((256, 512)),
    }
    tree = {"params": params, "opt_state": optax.adam(1e-3).init(params)}
    placed = sharding.state_shardings(tree, mesh.make_mesh(fsdp=2))
    assert placed["opt_state"][0].mu == placed["params"] == placed["opt_state"][0].nu
    assert placed["params"]["blocks"]["kernel"].spec == P(None, "fsdp", None)


def test_the_first_rule_that_matches_decides():
    rules = ((r"head/kernel$", sharding.replicated), (r"", sharding.largest_axis()))
    assert spec_of((512, 1024), rules=rules) == P()
    assert spec_of((512, 1024), name="params/other/kernel", rules=rules) == P(None, "fsdp")


def test_a_path_that_no_rule_matches_is_named():
    with pytest.raises(InputError, match="no sharding rule matches params/head/kernel"):
        spec_of((512, 1024), rules=(("encoder", sharding.replicated),))


def test_a_batch_is_spread_over_both_axes():
    grid = mesh.make_mesh(data=2, fsdp=4)
    image = np.arange(16 * 3, dtype=np.uint8).reshape(16, 3)
    placed = sharding.place_batch({"image": image}, grid)
    assert placed["image"].sharding == sharding.batch_sharding(grid)
    assert {shard.data.shape for shard in placed["image"].addressable_shards} == {(2, 3)}
    np.testing.assert_array_equal(placed["image"], image)
    assert placed["image"].dtype == np.uint8


def test_a_batch_that_does_not_divide_is_refused():
    message = "batch of 12 examples (image) cannot be spread evenly over 8 devices"
    with pytest.raises(InputError, match=re.escape(message)):
        sharding.place_batch({"image": np.zeros((12, 3))}, mesh.make_mesh())
