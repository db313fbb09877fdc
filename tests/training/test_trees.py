import jax.numpy as jnp
import numpy as np
import optax

from ecgmae_jax.training import trees

PARAMS = {"encoder": {"bias": np.arange(3.0), "kernel": np.eye(2)}, "scale": np.float32(2)}


def test_leaves_are_named_by_their_path_also_inside_optimizer_states():
    assert list(trees.named_leaves(PARAMS)) == ["encoder/bias", "encoder/kernel", "scale"]
    state = optax.adam(1e-3).init({"a": jnp.zeros(2)})
    assert list(trees.named_leaves(state)) == ["0/count", "0/mu/a", "0/nu/a"]


def test_differences_name_what_is_missing_unexpected_and_of_another_shape():
    found = {"a": np.zeros(2), "b": np.zeros((2, 3)), "c": np.zeros(1)}
    expected = {"b": np.zeros((2, 4)), "c": np.zeros(1), "d": np.zeros(1, np.float32)}
    assert trees.differences(found, expected) == [
        "b: found (2, 3) float64, expected (2, 4) float64",
        "d: found nothing, expected (1,) float32",
        "a: found (2,) float64, expected nothing",
    ]
    assert trees.differences(found, found) == []


def test_the_fingerprint_knows_names_shapes_types_and_bits_but_not_order_or_library():
    mark = trees.fingerprint(PARAMS)
    assert len(mark) == 16 and int(mark, 16) >= 0
    reordered = {"scale": PARAMS["scale"], "encoder": dict(reversed(PARAMS["encoder"].items()))}
    assert trees.fingerprint(reordered) == mark
    transposed_twice = {**PARAMS, "encoder": {**PARAMS["encoder"], "kernel": np.eye(2).T}}
    assert trees.fingerprint(transposed_twice) == mark
    others = [
        {**PARAMS, "scale": np.nextafter(PARAMS["scale"], np.float32(3))},
        {**PARAMS, "scale": PARAMS["scale"].reshape(1)},
        {**PARAMS, "scale": PARAMS["scale"].view(np.int32)},
        {"encoder": PARAMS["encoder"], "scales": PARAMS["scale"]},
    ]
    assert len({mark, *map(trees.fingerprint, others)}) == 5


def test_the_fingerprint_is_that_of_the_values_wherever_they_lie():
    values = {"a": np.arange(4, dtype=np.float32)}
    assert trees.fingerprint({"a": jnp.asarray(values["a"])}) == trees.fingerprint(values)
