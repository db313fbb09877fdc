"""A model of a few hundred numbers and a whole run of it, for the tests of training.

As a script, `python toy.py <workdir>`, it is the run that tests send signals to.
"""

import functools
import itertools
import pathlib
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

from ecgmae_jax.training import (
    checkpointer,
    logs,
    loop,
    mesh,
    optimizers,
    preemption,
    sharding,
    steps,
)
from ecgmae_jax.training import state as states

FEATURES, WIDTH, DEPTH, CLASSES, BATCH = 6, 16, 2, 3, 16
TOTAL_STEPS = 24
# Cuts even these small arrays.
RULES = (
    (r"(^|/)blocks/", sharding.largest_axis(leading_axes=1, min_elements=8)),
    (r"", sharding.largest_axis(min_elements=8)),
)


def init_params(key):
    """Parameters with the path names of a ViT encoder and a head."""
    # One draw for all: each costs half a second of compilation.
    pool = jax.random.uniform(key, (DEPTH, WIDTH, WIDTH), minval=-0.5, maxval=0.5)
    return {
        "encoder": {
            "patch_projection": _linear(pool[0, :FEATURES]),
            "cls_token": 0.02 * pool[:1, :1],
            "blocks": {"mlp": _linear(pool)},
            "norm": {"scale": jnp.ones(WIDTH), "bias": jnp.zeros(WIDTH)},
        },
        "head": _linear(pool[1, :, :CLASSES]),
    }


def shapes():
    return jax.eval_shape(init_params, jax.random.key(0))


def _linear(kernel):
    return {"kernel": kernel, "bias": jnp.zeros((*kernel.shape[:-2], kernel.shape[-1]))}


def example_losses(params, batch, key):
    """Squared errors (b,), of inputs made noisy with the key."""
    encoder = params["encoder"]
    noise = jax.random.uniform(key, batch["x"].shape[1:])
    x = _apply(encoder["patch_projection"], batch["x"] + 0.1 * noise[None])
    x = x + encoder["cls_token"][0]

    def block(x, layer):
        return x + jnp.tanh(_apply(layer["mlp"], x)), None

    x = jax.lax.scan(block, x, encoder["blocks"])[0]
    x = x * encoder["norm"]["scale"][None] + encoder["norm"]["bias"][None]
    return jnp.square(_apply(params["head"], x) - batch["y"]).mean(-1)


def _apply(linear, x):
    return x @ linear["kernel"] + linear["bias"][None]


def loss_fn(params, batch, key):
    losses = example_losses(params, batch, key)
    return losses.mean(), {"largest": losses.max()}


def batch_of(step):
    """The batch that leads to `step`."""
    rng = np.random.default_rng([7, step])
    x = rng.standard_normal((BATCH, FEATURES), np.float32)
    return {"x": x, "y": np.tanh(x[:, :CLASSES] - x[:, CLASSES:])}


def batches(start_step, *, delay_s=0.0):
    for step in itertools.count(start_step + 1):
        time.sleep(delay_s)
        yield batch_of(step)


def make_optimizer():
    schedule = optimizers.make_schedule(peak_lr=3e-2, warmup_steps=5, total_steps=TOTAL_STEPS)
    return optimizers.make_optimizer(schedule), schedule


@functools.cache
def compiled(device_mesh):
    """Optimizer, abstract state and compiled step for a mesh."""
    optimizer, schedule = make_optimizer()
    like = states.abstract_state(init_params, optimizer, mesh=device_mesh, rules=RULES)
    step = steps.make_train_step(loss_fn, optimizer, learning_rate=schedule)
    return optimizer, like, steps.compile_train_step(step, like=like)


def bias_size(params):
    """A stand-in for an evaluation."""
    return {"validation_loss": float(np.abs(jax.device_get(params["head"]["bias"])).sum())}


def train(
    workdir,
    *,
    device_mesh,
    until=TOTAL_STEPS,
    every=(1, 8, 8),
    evaluators=(bias_size,),
    make_batches=batches,
    enough=loop.never,
):
    """Runs, or goes on with, the toy run in `workdir`; returns the last state."""
    optimizer, like, step = compiled(device_mesh)
    with (
        preemption.StopRequest() as stop,
        checkpointer.Checkpointer(
            pathlib.Path(workdir) / "checkpoints",
            meta={"toy": [1, 2, None]},
            best_metric="validation_loss",
        ) as saver,
    ):
        if saver.latest_step is None:
            state = states.initial_state(init_params, optimizer, key=jax.random.key(0), like=like)
        else:
            state = saver.restore(like)
        start = int(state.step)
        with logs.MetricsWriter(
            workdir,
            start_step=start,
            total_steps=until,
            examples_per_step=BATCH,
            peak_examples_per_second=1e6,
        ) as writer:
            return loop.run(
                state,
                step,
                make_batches(start),
                mesh=device_mesh,
                evaluators=evaluators,
                checkpointer=saver,
                writer=writer,
                stop=stop,
                every=loop.Every(*every),
                total_steps=until,
                key=jax.random.key(1),
                enough=enough,
            )


if __name__ == "__main__":
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_num_cpu_devices", 8)
    train(
        pathlib.Path(sys.argv[1]),
        device_mesh=mesh.make_mesh(data=2, fsdp=4),
        make_batches=functools.partial(batches, delay_s=0.2),
    )
