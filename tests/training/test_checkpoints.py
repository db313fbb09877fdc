import json
import re
import shutil

import jax
import numpy as np
import optax
import pytest

from ecgmae_jax.errors import CheckpointNotSaved, DamagedCheckpoints, InputError
from ecgmae_jax.training import checkpointer, checkpoints, manifests, mesh, sharding, state, trees

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
    with checkpointer.Checkpointer(
        folder, meta=META, best_metric="accuracy", lowest_is_best=False
    ) as saver:
        assert saver.latest_step is None
        for step, score in scores.items():
            metrics = {"loss": 1.0} if score is None else {"loss": 1.0, "accuracy": score}
            saver.save(at_step(step), metrics=metrics)
        assert saver.latest_step == 60
    return folder


def reopened(folder):
    return checkpointer.Checkpointer(folder, meta={}, best_metric="accuracy", lowest_is_best=False)


def test_the_best_and_the_latest_two_are_kept(saved):
    assert {int(path.name) for path in saved.iterdir()} == {20, 50, 60}


def test_a_state_comes_back_to_the_bit_and_in_its_place(saved, like, same_trees):
    with reopened(saved) as saver:
        restored = saver.restore(like)
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
    with checkpointer.Checkpointer(tmp_path, meta={}, best_metric="loss") as saver:
        for step, loss in ((1, 0.5), (2, 0.25), (3, 0.75), (4, 1.0)):
            saver.save(at_step(step), metrics={"loss": loss})
    assert checkpoints.load_params(tmp_path, which="best").step == 2
    assert {int(path.name) for path in tmp_path.iterdir()} == {2, 3, 4}


def test_what_an_interrupted_save_left_is_not_trusted_and_is_cleared(saved, like, tmp_path):
    shutil.copytree(saved, tmp_path / "copy")
    # The name a step has until it is whole.
    half = tmp_path / "copy" / "70.orbax-checkpoint-tmp"
    shutil.copytree(saved / "60" / "params", half / "params")
    assert checkpoints.load_params(tmp_path / "copy").step == 60
    with reopened(tmp_path / "copy") as saver:
        assert saver.latest_step == 60
        saver.save(at_step(70), metrics={})
    assert not half.exists()
    assert checkpoints.load_params(tmp_path / "copy").step == 70


def test_a_checkpoint_of_another_model_is_refused_by_name_and_shape(saved, like):
    wider = jax.ShapeDtypeStruct((5,), np.float32, sharding=like.params["head"].sharding)
    params = {**like.params, "head": wider}
    with reopened(saved) as saver:
        message = "60/params is of another model or optimizer: head: found (3,) float32, "
        with pytest.raises(InputError, match=re.escape(message + "expected (5,) float32;")):
            saver.restore(state.TrainState(params, like.opt_state, like.step))


def test_a_checkpoint_of_another_optimizer_is_refused(saved, like):
    with reopened(saved) as saver:
        message = (
            r"60/opt_state is of another .*: found \(\) int32, expected nothing \(and 4 more\)"
        )
        with pytest.raises(InputError, match=message):
            saver.restore(state.TrainState(like.params, (), like.step))


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def largest(folder):
    return max(
        (path for path in folder.rglob("*") if path.is_file()), key=lambda p: p.stat().st_size
    )


DAMAGE = {
    "flipped bit": lambda step: flip(largest(step / "params/d")),
    "flipped place": lambda step: flip(step / "params/_sharding"),
    "zeroed": lambda step: largest(step).write_bytes(bytes(largest(step).stat().st_size)),
    "truncated": lambda step: largest(step).write_bytes(largest(step).read_bytes()[:-1]),
    "file gone": lambda step: largest(step).unlink(),
    "part gone": lambda step: shutil.rmtree(step / "params"),
    "empty": lambda step: [shutil.rmtree(path) for path in step.iterdir() if path.is_dir()],
    "no shapes": lambda step: (step / "params/_METADATA").unlink(),
    "empty shapes": lambda step: (step / "params/_METADATA").write_text(""),
    "empty metrics": lambda step: (step / "metrics/metrics").write_text(""),
    "empty meta": lambda step: (step / "meta/metadata").write_text(""),
    "no manifest": lambda step: (step / manifests.NAME).unlink(),
    "empty manifest": lambda step: (step / manifests.NAME).write_text(""),
    "other manifest": lambda step: (step / manifests.NAME).write_text("[]"),
    "a file": lambda step: (shutil.rmtree(step), step.write_text("")),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_step_is_set_aside_and_the_one_before_is_used(
    saved, like, same_trees, tmp_path, capsys, kind
):
    shutil.copytree(saved, tmp_path, dirs_exist_ok=True)
    DAMAGE[kind](tmp_path / "60")
    with pytest.raises(DamagedCheckpoints, match=r"checkpoint .*60 is damaged: "):
        checkpoints.load_params(tmp_path)
    with reopened(tmp_path) as saver:
        assert re.search("60 is damaged: .*; set aside as damaged-60", capsys.readouterr().err)
        same_trees(saver.restore(like), at_step(50))
        saver.save(at_step(60), metrics={})
    assert {path.name for path in tmp_path.iterdir()} == {"20", "50", "60", "damaged-60"}
    assert checkpoints.load_params(tmp_path).step == 60


@pytest.mark.parametrize("content", [None, "", "{"])
@pytest.mark.parametrize("name", ["_CHECKPOINT_METADATA", "commit_success.txt"])
def test_what_the_manifest_leaves_out_is_not_needed(
    saved, like, same_trees, tmp_path, name, content
):
    shutil.copytree(saved, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "60" / name
    path.unlink() if content is None else path.write_text(content)
    with reopened(tmp_path) as saver:
        same_trees(saver.restore(like), at_step(60))
    assert checkpoints.load_params(tmp_path).step == 60


def test_without_a_whole_checkpoint_nothing_starts_afresh(saved, tmp_path):
    shutil.copytree(saved, tmp_path, dirs_exist_ok=True)
    for step in manifests.saved_steps(tmp_path):
        flip(largest(step / "opt_state"))
    for _ in range(2):
        with pytest.raises(DamagedCheckpoints, match="whole: damaged-20, damaged-50, damaged-60;"):
            reopened(tmp_path)


def test_a_step_damaged_twice_is_set_aside_twice(saved, tmp_path):
    for _ in range(2):
        shutil.copytree(saved / "60", tmp_path / "60")
        flip(largest(tmp_path / "60"))
        shutil.copytree(saved / "50", tmp_path / "50", dirs_exist_ok=True)
        reopened(tmp_path).__exit__()
    assert {path.name for path in tmp_path.iterdir()} == {"50", "damaged-60", "damaged-60-2"}


def test_the_manifest_names_every_file_of_the_state(saved):
    sums = json.loads((saved / "60" / manifests.NAME).read_text())
    files = [path for path in (saved / "60").rglob("*") if path.is_file()]
    left_out = {path.name for path in files if str(path.relative_to(saved / "60")) not in sums}
    assert left_out == {manifests.NAME, "_CHECKPOINT_METADATA", "commit_success.txt"}
    assert {name.split("/")[0] for name in sums} == {
        "params",
        "opt_state",
        "step",
        "meta",
        "metrics",
    }


def test_a_full_disk_is_noticed_before_the_save(saved, like, tmp_path, monkeypatch):
    shutil.copytree(saved, tmp_path, dirs_exist_ok=True)
    usage = shutil._ntuple_diskusage(total=1000, used=900, free=100)
    monkeypatch.setattr(checkpointer.shutil, "disk_usage", lambda path: usage)
    message = r"step 70 could not be saved in .*, where 100 bytes are free and it needs 808: No"
    with reopened(tmp_path) as saver, pytest.raises(CheckpointNotSaved, match=message):
        saver.save(at_step(70), metrics={})
    assert {path.name for path in tmp_path.iterdir()} == {"20", "50", "60"}


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
        reopened(tmp_path) as saver,
        pytest.raises(InputError, match="holds no checkpoint to continue from"),
    ):
        saver.restore(like)
