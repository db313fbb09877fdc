import re
import shutil

import jax
import numpy as np
import optax
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.training import checkpoints, mesh, sharding, state, trees

META = {"config": {"size": [384, 512], "name": "ä", "none": None}, "input": {"px_per_mm": 1.8}}


PARAMS = {"encoder": {"blocks": np.ones((2, 8, 4), np.float32)}, "head": np.ones(3, np.float32)}


def at_step(step):
    """A state on eight devices whose numbers tell the step."""
    params = jax.tree.map(lambda p: p * np.float32(step), PARAMS)
    count = np.full((), step, np.int32)
    moments = optax.ScaleByAdamState(count, params, params)
    tree = state.TrainState(params, (moments, optax.EmptyState()), count)
    rules = ((r"(^|/)blocks", sharding.largest_axis(leading_axes=1, min_elements=8)),)
    rules += ((r"", sharding.replicated),)
    grid = mesh.make_mesh(data=2, fsdp=4)
    return jax.device_put(tree, sharding.state_shardings(tree, grid, rules=rules))


@pytest.fixture(scope="module")
def like():
    return jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=leaf.sharding),
        at_step(0),
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Steps 10, 20, ..., 60 saved; the best by accuracy is 20, and 50 was not judged."""
    folder = tmp_path_factory.mktemp("run") / "checkpoints"
    scores = {10: 0.1, 20: 0.9, 30: 0.5, 40: 0.8, 50: None, 60: float("nan")}
    with checkpoints.Checkpointer(
        folder, meta=META, best_metric="accuracy", lowest_is_best=False
    ) as checkpointer:
        assert checkpointer.latest_step is None
        for step, score in scores.items():
            metrics = {"loss": 1.0} if score is None else {"loss": 1.0, "accuracy": score}
            checkpointer.save(at_step(step), metrics=metrics)
        assert checkpointer.latest_step == 60
    return folder


def reopened(folder):
    return checkpoints.Checkpointer(folder, meta={}, best_metric="accuracy", lowest_is_best=False)


def test_the_best_and_the_latest_two_are_kept(saved):
    assert {int(path.name) for path in saved.iterdir()} == {20, 50, 60}


def test_a_state_comes_back_to_the_bit_and_in_its_place(saved, like, same_trees):
    with reopened(saved) as checkpointer:
        restored = checkpointer.restore(like)
    same_trees(restored, at_step(60))
    places = [jax.tree.map(lambda leaf: leaf.sharding, tree) for tree in (restored, like)]
    assert places[0] == places[1]


def test_parameters_load_alone_as_numpy_with_their_meta(saved, like, same_trees):
    last = checkpoints.load_params(saved)
    assert (last.step, last.meta) == (60, META)
    assert all(isinstance(leaf, np.ndarray) for leaf in jax.tree.leaves(last.params))
    same_trees(last.params, jax.device_get(at_step(60).params))
    assert last.fingerprint == trees.fingerprint(last.params)


def test_parameters_load_where_the_optimizer_state_is_gone(saved, tmp_path):
    shutil.copytree(saved, tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy" / "60" / "opt_state")
    original = checkpoints.load_params(saved)
    assert checkpoints.load_params(tmp_path / "copy").fingerprint == original.fingerprint


def test_the_best_is_the_best_judged_also_after_a_restart(saved, like, same_trees):
    best = checkpoints.load_params(saved, which="best")
    assert best.step == 20
    same_trees(best.params, jax.device_get(at_step(20).params))


def test_the_lowest_can_be_the_best(tmp_path):
    with checkpoints.Checkpointer(tmp_path, meta={}, best_metric="loss") as checkpointer:
        for step, loss in ((1, 0.5), (2, 0.25), (3, 0.75), (4, 1.0)):
            checkpointer.save(at_step(step), metrics={"loss": loss})
    assert checkpoints.load_params(tmp_path, which="best").step == 2
    assert {int(path.name) for path in tmp_path.iterdir()} == {2, 3, 4}


def test_what_an_interrupted_save_left_is_not_trusted_and_is_cleared(saved, like, tmp_path):
    shutil.copytree(saved, tmp_path / "copy")
    # The name a step has until it is whole.
    half = tmp_path / "copy" / "70.orbax-checkpoint-tmp"
    shutil.copytree(saved / "60" / "params", half / "params")
    assert checkpoints.load_params(tmp_path / "copy").step == 60
    with reopened(tmp_path / "copy") as checkpointer:
        assert checkpointer.latest_step == 60
        checkpointer.save(at_step(70), metrics={})
    assert not half.exists()
    assert checkpoints.load_params(tmp_path / "copy").step == 70


def test_a_checkpoint_of_another_model_is_refused_by_name_and_shape(saved, like):
    wider = jax.ShapeDtypeStruct((5,), np.float32, sharding=like.params["head"].sharding)
    params = {**like.params, "head": wider}
    with reopened(saved) as checkpointer:
        message = "60/params is of another model or optimizer: head: found (3,) float32, "
        with pytest.raises(InputError, match=re.escape(message + "expected (5,) float32;")):
            checkpointer.restore(state.TrainState(params, like.opt_state, like.step))


def test_a_checkpoint_of_another_optimizer_is_refused(saved, like):
    with reopened(saved) as checkpointer:
        message = (
            r"60/opt_state is of another .*: found \(\) int32, expected nothing \(and 4 more\)"
        )
        with pytest.raises(InputError, match=message):
            checkpointer.restore(state.TrainState(like.params, (), like.step))


def test_a_checkpoint_without_its_parameters_is_refused(saved, tmp_path):
    shutil.copytree(saved, tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy" / "60" / "params")
    with pytest.raises(InputError, match="60 is damaged: no params; move it away"):
        checkpoints.load_params(tmp_path / "copy")


@pytest.mark.parametrize(
    ("which", "message"),
    [("last", "holds no last checkpoint"), ("best", "holds no best"), ("20", "expected 'last' or")],
)
def test_a_checkpoint_that_is_not_there_is_refused(tmp_path, which, message):
    with pytest.raises(InputError, match=message):
        checkpoints.load_params(tmp_path, which=which)
    with pytest.raises(InputError, match="does not exist"):
        checkpoints.load_params(tmp_path / "nowhere")


def test_continuing_from_nothing_is_refused(like, tmp_path):
    with (
        reopened(tmp_path) as checkpointer,
        pytest.raises(InputError, match="holds no checkpoint to continue from"),
    ):
        checkpointer.restore(like)
