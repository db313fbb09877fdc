"""The training job that the config of a fine-tuning describes."""

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import ml_collections
import numpy as np

from ecgmae_jax.data.source import Dataset
from ecgmae_jax.models.compute import Compute
from ecgmae_jax.models.flops import encoder_flops
from ecgmae_jax.models.heads import ClassifierConfig
from ecgmae_jax.programs import (
    classifier_training,
    classifiers,
    training_run,
    training_views,
    validation,
)
from ecgmae_jax.programs.computing import make_compute
from ecgmae_jax.programs.encoders import Pretrained
from ecgmae_jax.programs.finetune_tasks import FinetuneTask, make_task
from ecgmae_jax.programs.views import Views
from ecgmae_jax.training import loop


def make_finetune_job(
    config: ml_collections.ConfigDict,
    pretrained: Pretrained,
    train: Dataset,
    validated: Dataset,
    *,
    record: Mapping[str, Any],
) -> training_run.Job:
    """The job of one round: its model, loss, batches, optimizer and judge.

    Args:
        validated: by which the best state is chosen.
        record: what the workdir says of the run.
    """
    specification = pretrained.specification
    task = make_task(
        train,
        label=config.label,
        weights=config.class_weights,
        focal_gamma=config.focal_gamma,
        smoothing=config.label_smoothing,
        mixing=config.mixing.probability,
    )
    compute, decay = make_compute(**config.compute), config.ema_decay
    model = ClassifierConfig(
        pretrained.config.encoder, len(task.described["classes"]), drop_path=config.drop_path
    )
    learning_rate, total_steps = classifier_training.make_learning_rate(
        config.optimizer,
        epochs=config.epochs,
        warmup_epochs=config.warmup_epochs,
        num_examples=len(train),
        batch_size=config.loader.batch_size,
    )
    optimizer = classifier_training.make_finetuning_optimizer(
        learning_rate, config.optimizer, depth=model.encoder.depth, ema_decay=decay
    )
    views = _views(config, train, specification)
    return training_run.Job(
        init_params=classifier_training.make_init(model, compute, ema_decay=decay),
        first_state=classifier_training.make_first_state(
            model,
            compute,
            optimizer,
            encoder=pretrained.params["encoder"] if config.use_pretrained else None,
            ema_decay=decay,
            seed=config.seed,
        ),
        loss_fn=classifier_training.make_loss(model, views, losses=task.losses, compute=compute),
        optimizer=optimizer,
        learning_rate=learning_rate,
        batches_from=functools.partial(_batches, config, train, views),
        evaluators=[_judge(config, model, specification, validated, compute, task)],
        meta=dict(record)
        | classifiers.describe(
            model,
            specification,
            task=config.label,
            label_set=task.described,
            aggregation=config.aggregation,
        ),
        best_metric=task.metric,
        lowest_is_best=False,
        total_steps=total_steps,
        batch_size=config.loader.batch_size,
        flops_per_example=3 * encoder_flops(model.encoder, num_patches=model.encoder.num_patches),
        dtype=compute.dtype,
        accumulate=config.accumulate,
        every=loop.Every(**config.every),
    )


def _views(config: ml_collections.ConfigDict, train: Dataset, specification: Mapping) -> Views:
    return training_views.training_views(
        train,
        specification,
        augment=config.augment,
        draw=config.data.draw,
        random_sheets=config.random_sheets,
        scan=config.scan,
        seed=config.seed,
    )


def _batches(
    config: ml_collections.ConfigDict, train: Dataset, views: Views, start_step: int
) -> Iterator[dict[str, np.ndarray]]:
    return training_views.train_batches(
        train,
        views,
        label=config.label,
        smoothing=config.label_smoothing,
        mixing=config.mixing,
        batch_size=config.loader.batch_size,
        workers=config.loader.workers,
        seed=config.seed,
        start_step=start_step,
    )


def _judge(
    config: ml_collections.ConfigDict,
    model: ClassifierConfig,
    specification: Mapping[str, Any],
    validated: Dataset,
    compute: Compute,
    task: FinetuneTask,
) -> loop.Evaluator:
    return validation.make_evaluator(
        model,
        specification,
        validated,
        task=config.label,
        scale=classifiers.scale_of(task.described),
        aggregation=config.aggregation,
        batch_size=config.loader.batch_size,
        compute=compute,
    )
