"""A few steps of a small autoencoder, in as many processes as the environment says.

As a script, `python small_run.py <fsdp>`, it prints the losses as one JSON line from process 0.
"""

import functools
import json
import sys

import jax
import numpy as np

from ecgmae_jax.models.functional import bind, init_params, model_graph
from ecgmae_jax.models.mae import MAE, MAEConfig, mae_loss
from ecgmae_jax.models.vit import ViTConfig
from ecgmae_jax.training.mesh import make_mesh, start_distributed
from ecgmae_jax.training.optimizers import make_optimizer, make_schedule
from ecgmae_jax.training.sharding import largest_axis, place_batch
from ecgmae_jax.training.state import abstract_state, initial_state
from ecgmae_jax.training.steps import compile_train_step, make_train_step

STEPS, BATCH = 4, 16
# Cuts even these small arrays.
RULES = (
    (r"(^|/)blocks/", largest_axis(leading_axes=1, min_elements=8)),
    (r"", largest_axis(min_elements=8)),
)
ENCODER = ViTConfig(image_size=(32, 64), patch_size=(8, 8), channels=1, width=32, depth=2, heads=2)
MODEL = functools.partial(
    MAE, MAEConfig(ENCODER, decoder_width=32, decoder_depth=1, decoder_heads=2)
)


def losses(*, fsdp: int) -> list[float]:
    """The loss of each step, of the whole batch."""
    mesh = make_mesh(fsdp=fsdp)
    graph, new_params = model_graph(MODEL), functools.partial(init_params, MODEL)
    rate = make_schedule(peak_lr=1e-3, warmup_steps=1, total_steps=STEPS)
    optimizer = make_optimizer(rate)
    like = abstract_state(new_params, optimizer, mesh=mesh, rules=RULES)
    state = initial_state(new_params, optimizer, key=jax.random.key(0), like=like)

    def loss_fn(params, batch, key):
        return mae_loss(bind(graph, params), batch["image"], key=key)

    step = compile_train_step(make_train_step(loss_fn, optimizer, learning_rate=rate), like=like)
    found = []
    for number in range(STEPS):
        batch = place_batch({"image": share_of(number)}, mesh)
        state, metrics = step(state, batch, jax.random.fold_in(jax.random.key(1), number))
        found.append(float(metrics["loss"]))
    return found


def share_of(number: int) -> np.ndarray:
    """The rows of batch `number` that this process reads."""
    shape = (BATCH, *ENCODER.image_size, ENCODER.channels)
    whole = np.random.default_rng(number).standard_normal(shape, np.float32)
    rows = BATCH // jax.process_count()
    return whole[rows * jax.process_index() :][:rows]


if __name__ == "__main__":
    start_distributed()
    values = losses(fsdp=int(sys.argv[1]))
    if jax.process_index() == 0:
        shape = (jax.process_count(), jax.local_device_count())
        print(json.dumps({"processes_devices": shape, "losses": values}))
