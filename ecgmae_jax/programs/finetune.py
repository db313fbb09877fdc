"""Fine-tunes a pre-trained encoder for one task and judges the best state on the test splits."""

import dataclasses
import functools
import pathlib
from collections.abc import Iterator

import jax
import ml_collections
import numpy as np
import optax
import pandas as pd

from ecgmae_jax.data.loaders import make_train_loader
from ecgmae_jax.data.mixing import mix_batch, smooth_labels
from ecgmae_jax.data.source import Dataset, open_dataset
from ecgmae_jax.models.classification import class_weights
from ecgmae_jax.models.functional import init_params
from ecgmae_jax.models.heads import ClassifierConfig, with_pretrained_encoder
from ecgmae_jax.programs import classifiers, encoders, inputs, judgement, training_run, workdirs
from ecgmae_jax.training import loop
from ecgmae_jax.training.mesh import make_mesh, start_distributed
from ecgmae_jax.training.optimizers import layerwise_lr_decay, make_optimizer, make_schedule
from ecgmae_jax.training.state import state_of


def run(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
    """Trains, then writes predictions.csv and metrics.json for the test splits."""
    start_distributed()
    mesh = make_mesh(**config.mesh)
    pretrained = encoders.load_pretrained(config.checkpoint, which=config.which)
    specification = pretrained.specification
    train, validation, *tests = (
        open_dataset(**config.data, split=split)
        for split in (config.splits.train, config.splits.validation, *config.splits.test)
    )
    for dataset in (train, validation, *tests):
        inputs.check_input(dataset, specification)
    record = workdirs.open_workdir(workdir, config, data={train.name: train.fingerprint})
    job = _make_job(config, pretrained, train=train, validation=validation, record=record)
    state = training_run.train(job, workdir=workdir, mesh=mesh, seed=config.seed)
    if int(state.step) == job.total_steps:
        _test(config, workdir, tests)


def _make_job(
    config: ml_collections.ConfigDict,
    pretrained: encoders.Pretrained,
    *,
    train: Dataset,
    validation: Dataset,
    record: dict,
) -> training_run.Job:
    specification, label_set = pretrained.specification, train.label_set(config.label)
    compute = encoders.make_compute(**config.compute)
    model = ClassifierConfig(
        pretrained.config.encoder, len(label_set.classes), drop_path=config.drop_path
    )
    schedule = training_run.make_epoch_schedule(
        epochs=config.epochs,
        warmup_epochs=config.warmup_epochs,
        num_examples=len(train),
        batch_size=config.loader.batch_size,
        base_lr=config.optimizer.base_lr,
    )
    learning_rate = make_schedule(
        peak_lr=schedule.peak_lr,
        warmup_steps=schedule.warmup,
        total_steps=schedule.total,
        final_lr=config.optimizer.final_lr,
    )
    optimizer = _make_optimizer(learning_rate, config.optimizer, depth=model.encoder.depth)
    make_params = functools.partial(init_params, classifiers.classifier_maker(model, compute))
    return training_run.Job(
        init_params=make_params,
        first_state=lambda like: state_of(
            with_pretrained_encoder(
                jax.jit(make_params)(jax.random.key(config.seed)), pretrained.params["encoder"]
            ),
            optimizer,
            like=like,
        ),
        loss_fn=classifiers.make_loss(
            model,
            specification,
            weights=class_weights(
                inputs.truth_of(train, config.label),
                kind=config.class_weights,
                exclusive=label_set.exclusive,
            ),
            exclusive=label_set.exclusive,
            compute=compute,
        ),
        optimizer=optimizer,
        learning_rate=learning_rate,
        batches_from=lambda step: _train_batches(train, specification, config, start_step=step),
        evaluators=[
            classifiers.make_auroc_evaluator(
                model,
                specification,
                validation,
                task=config.label,
                batch_size=config.loader.batch_size,
                compute=compute,
            )
        ],
        meta=record
        | {
            "input": specification,
            "encoder": dataclasses.asdict(model.encoder),
            "task": config.label,
            "label_set": label_set.as_dict(),
        },
        best_metric="validation_auroc",
        lowest_is_best=False,
        total_steps=schedule.total,
        batch_size=config.loader.batch_size,
        accumulate=config.accumulate,
        every=loop.Every(**config.every),
    )


def _make_optimizer(learning_rate, settings, *, depth: int) -> optax.GradientTransformation:
    """AdamW, and smaller steps for lower layers (recipe of He et al. 2022, table 9)."""
    return optax.chain(
        make_optimizer(
            learning_rate, b1=settings.b1, b2=settings.b2, weight_decay=settings.weight_decay
        ),
        layerwise_lr_decay(decay=settings.layer_decay, depth=depth),
    )


def _train_batches(
    train: Dataset, specification: dict, config: ml_collections.ConfigDict, *, start_step: int
) -> Iterator[dict[str, np.ndarray]]:
    exclusive = train.label_set(config.label).exclusive
    batches = make_train_loader(
        train,
        batch_size=config.loader.batch_size,
        seed=config.seed,
        transforms=inputs.make_augmentations(config.augment, specification),
        label=config.label,
        start_step=start_step,
        num_workers=config.loader.workers,
        process_index=jax.process_index(),
        process_count=jax.process_count(),
    )
    for step, batch in enumerate(batches, start=start_step):
        labels = smooth_labels(
            batch["label"], smoothing=config.label_smoothing, exclusive=exclusive
        )
        images, labels = mix_batch(
            batch["image"], labels, seed=config.seed, step=step, **config.mixing
        )
        yield batch | {"image": images, "label": labels}


def _test(config: ml_collections.ConfigDict, workdir: pathlib.Path, tests: list[Dataset]) -> None:
    # In every process of a job: reading a checkpoint waits for all of them.
    finetuned = classifiers.load_finetuned(workdir, which="best")
    function = functools.partial(
        classifiers.make_probabilities(
            finetuned.config,
            finetuned.specification,
            exclusive=finetuned.label_set["exclusive"],
            compute=encoders.make_compute(**config.compute),
        ),
        finetuned.params,
    )
    found = [
        classifiers.predict_split(
            function, test, finetuned.specification, batch_size=config.loader.batch_size
        )
        for test in tests
    ]
    table, metrics = judgement.judge(
        pd.concat([judgement.record_columns(test) for test in tests], ignore_index=True),
        judgement.labels_of(tests, config.label),
        np.concatenate(found),
        rule="mean",
        probabilities=np.asarray,
        task=config.label,
        model="fine-tuned",
        settings=config.bootstrap.to_dict(),
        seed=config.seed,
    )
    metrics |= {"program": "finetune", "checkpoint": finetuned.fingerprint}
    if jax.process_index() == 0:
        judgement.publish_judgement(workdir, table, metrics, model="fine-tuned")
