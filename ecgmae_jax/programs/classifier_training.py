"""How a classifier is trained: its first parameters, its loss, its optimizer."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import PRNGKeyArray

from ecgmae_jax.models.compute import Compute
from ecgmae_jax.models.functional import Params, bind, init_params, model_graph
from ecgmae_jax.models.heads import ClassifierConfig, with_pretrained_encoder
from ecgmae_jax.programs.averaging import with_average, with_averaging
from ecgmae_jax.programs.classifiers import classifier_maker
from ecgmae_jax.programs.training_run import make_epoch_schedule
from ecgmae_jax.programs.views import Views
from ecgmae_jax.training.optimizers import layerwise_lr_decay, make_optimizer, make_schedule
from ecgmae_jax.training.state import TrainState, state_of
from ecgmae_jax.training.steps import LossFn

Losses = Callable[[jax.Array, jax.Array], tuple[jax.Array, jax.Array]]


def make_init(
    config: ClassifierConfig, compute: Compute, *, ema_decay: float
) -> Callable[[PRNGKeyArray], Params]:
    """From a key to new parameters, as `averaging.with_average` has them."""
    make = classifier_maker(config, compute)
    return lambda key: with_average(init_params(make, key), decay=ema_decay)


def make_first_state(
    config: ClassifierConfig,
    compute: Compute,
    optimizer: optax.GradientTransformation,
    *,
    encoder: Params | None,
    ema_decay: float,
    seed: int,
) -> Callable[[TrainState], TrainState]:
    """From places and shapes to the state that training starts from.

    Args:
        config: of the classifier.
        compute: precision and memory.
        optimizer: of `make_finetuning_optimizer`.
        encoder: pre-trained; None starts from a new one.
        ema_decay: as in `with_average`.
        seed: of what is new.
    """

    def first_state(like: TrainState) -> TrainState:
        make = classifier_maker(config, compute)
        model = jax.jit(functools.partial(init_params, make))(jax.random.key(seed))
        if encoder is not None:
            model = with_pretrained_encoder(model, encoder)
        return state_of(with_average(model, decay=ema_decay), optimizer, like=like)

    return first_state


def make_loss(
    config: ClassifierConfig,
    views: Views,
    *,
    losses: Losses,
    compute: Compute,
) -> LossFn:
    """The mean over the examples of a batch whose label is known.

    Args:
        config: of the classifier.
        views: how its pictures come out of a batch.
        losses: of scores and labels: each example's loss, and 1 where its label is known.
        compute: precision and memory.
    """
    graph = model_graph(classifier_maker(config, compute))

    def loss_fn(params: Params, batch: Mapping[str, Any], key: PRNGKeyArray):
        scores = bind(graph, params["model"])(views.view(batch).seen, key=key)
        found, known = losses(scores, batch["label"])
        return found.sum() / jnp.maximum(known.sum(), 1.0), {"known": known.mean()}

    return loss_fn


def make_learning_rate(
    settings: Mapping[str, float],
    *,
    epochs: float,
    warmup_epochs: float,
    num_examples: int,
    batch_size: int,
) -> tuple[optax.Schedule, int]:
    """The learning rate of the head, and the steps of the whole run.

    Args:
        settings: `base_lr`, for 256 examples a step, and `final_lr`, which is not scaled.
        epochs: of the run.
        warmup_epochs: of them, with a rising rate.
        num_examples: in an epoch.
        batch_size: examples in a step.
    """
    schedule = make_epoch_schedule(
        epochs=epochs,
        warmup_epochs=warmup_epochs,
        num_examples=num_examples,
        batch_size=batch_size,
        base_lr=settings["base_lr"],
    )
    learning_rate = make_schedule(
        peak_lr=schedule.peak_lr,
        warmup_steps=schedule.warmup,
        total_steps=schedule.total,
        final_lr=settings["final_lr"],
    )
    return learning_rate, schedule.total


def make_finetuning_optimizer(
    learning_rate: optax.Schedule,
    settings: Mapping[str, float],
    *,
    depth: int,
    ema_decay: float,
) -> optax.GradientTransformation:
    """AdamW, smaller steps for lower layers (He et al. 2022, table 9), and the average.

    Args:
        learning_rate: of the head.
        settings: `b1`, `b2` and `weight_decay` of AdamW, and `layer_decay`.
        depth: transformer blocks of the encoder.
        ema_decay: as in `with_averaging`.
    """
    adamw = make_optimizer(
        learning_rate, b1=settings["b1"], b2=settings["b2"], weight_decay=settings["weight_decay"]
    )
    layers = layerwise_lr_decay(decay=settings["layer_decay"], depth=depth)
    return with_averaging(optax.chain(adamw, layers), decay=ema_decay)
