"""The train step of a masked autoencoder, as training compiles it, for the benchmarks to time."""

import functools
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np
import optax
from jax.sharding import Mesh

from ecgmae_jax.models.compute import Compute
from ecgmae_jax.models.functional import bind, init_params, model_graph
from ecgmae_jax.models.mae import MAE, MAEConfig, mae_loss
from ecgmae_jax.rendering.drawing import draw, make_deck
from ecgmae_jax.rendering.named_sheets import make_sheet
from ecgmae_jax.training.mesh import make_mesh
from ecgmae_jax.training.optimizers import make_optimizer
from ecgmae_jax.training.sharding import batch_sharding, place_batch
from ecgmae_jax.training.state import TrainState, abstract_state, initial_state
from ecgmae_jax.training.steps import TrainStep, compile_train_step, make_train_step

RATE_HZ = 500.0
SAMPLES = 5000


class MaeStep(NamedTuple):
    """A jitted step, not yet compiled, and what it is called with."""

    step: TrainStep
    like: TrainState
    batch: dict[str, jax.ShapeDtypeStruct]
    new_state: Callable[[], TrainState]

    def lower(self) -> jax.stages.Lowered:
        """The step for arguments of these shapes and places."""
        return self.step.lower(self.like, self.batch, jax.random.key(0))


def make_mae_step(
    config: MAEConfig, *, compute: Compute, batch_size: int, mesh: Mesh, drawn: bool = False
) -> MaeStep:
    """Loss, gradient and AdamW on standardised pictures, or on sheets drawn of signals."""
    make_model = functools.partial(MAE, config, compute=compute)
    graph, new_params = model_graph(make_model), functools.partial(init_params, make_model)
    encoder = config.encoder
    pictures = _make_drawer(encoder.image_size, encoder.channels) if drawn else _given_pictures

    def loss_fn(params: Any, batch: Mapping[str, jax.Array], key: jax.Array):
        return mae_loss(bind(graph, params), pictures(batch), key=key)

    rate = optax.constant_schedule(1e-4)
    optimizer = make_optimizer(rate)
    like = abstract_state(new_params, optimizer, mesh=mesh)
    step = make_train_step(loss_fn, optimizer, learning_rate=rate)
    shape = (12, SAMPLES) if drawn else (*encoder.image_size, encoder.channels)
    array = jax.ShapeDtypeStruct((batch_size, *shape), np.float32, sharding=batch_sharding(mesh))
    return MaeStep(
        compile_train_step(step, like=like),
        like,
        {"signal" if drawn else "image": array},
        functools.partial(initial_state, new_params, optimizer, key=jax.random.key(0), like=like),
    )


def make_runner(made: MaeStep) -> Callable[[], float]:
    """A function that takes one step and says how many seconds it took, after a first one."""
    rng = np.random.default_rng(0)
    mesh = made.like.step.sharding.mesh
    arrays = {name: rng.standard_normal(a.shape, np.float32) for name, a in made.batch.items()}
    batch, key = place_batch(arrays, mesh), jax.random.key(1)
    state = made.new_state()

    def run() -> float:
        nonlocal state
        start = time.perf_counter()
        state, metrics = made.step(state, batch, key)
        jax.block_until_ready((state, metrics))
        return time.perf_counter() - start

    run()
    return run


def one_device() -> Mesh:
    """The mesh of the first device alone."""
    return make_mesh(devices=jax.devices()[:1])


def _given_pictures(batch: Mapping[str, jax.Array]) -> jax.Array:
    return batch["image"]


def _make_drawer(image_size: tuple[int, int], channels: int) -> Callable:
    sheet = make_sheet("3x4+1", height=image_size[0], width=image_size[1], channels=channels)
    deck = make_deck([sheet], rate_hz=RATE_HZ)

    def pictures(batch: Mapping[str, jax.Array]) -> jax.Array:
        signals = batch["signal"]
        drawn = draw(deck, signals, np.zeros(len(signals), np.int32))
        return (drawn.image.astype(np.float32) / 255 - 0.87) / 0.1

    return pictures
