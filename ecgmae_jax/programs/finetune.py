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
from ecgmae_jax.evaluation.discrimination import auroc, labels_with
from ecgmae_jax.models.classification import class_weights, classification_losses
from ecgmae_jax.models.compute import Compute
from ecgmae_jax.models.functional import Params, bind, init_params, model_graph
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
    label_set = train.label_set(config.label)
    record = workdirs.open_workdir(workdir, config, data={train.name: train.fingerprint})

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
    job = training_run.Job(
        init_params=make_params,
        first_state=lambda like: state_of(
            with_pretrained_encoder(
                make_params(jax.random.key(config.seed)), pretrained.params["encoder"]
            ),
            optimizer,
            like=like,
        ),
        loss_fn=_make_loss(
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
        batches_from=lambda step: _train_batches(train, config, start_step=step),
        evaluators=[_auroc_evaluator(model, specification, validation, config, compute=compute)],
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
    state = training_run.train(job, workdir=workdir, mesh=mesh, seed=config.seed)
    if int(state.step) == schedule.total and jax.process_index() == 0:
        _test(config, workdir, tests)


def _make_optimizer(learning_rate, settings, *, depth: int) -> optax.GradientTransformation:
    """AdamW, and smaller steps for lower layers (recipe of He et al. 2022, table 9)."""
    return optax.chain(
        make_optimizer(
            learning_rate, b1=settings.b1, b2=settings.b2, weight_decay=settings.weight_decay
        ),
        layerwise_lr_decay(decay=settings.layer_decay, depth=depth),
    )


def _make_loss(
    model: ClassifierConfig,
    specification: dict,
    *,
    weights: np.ndarray,
    exclusive: bool,
    compute: Compute,
):
    graph = model_graph(classifiers.classifier_maker(model, compute))

    def loss_fn(params: Params, batch: dict, key: jax.Array):
        scores = bind(graph, params)(inputs.standardise(batch["image"], specification), key=key)
        losses, known = classification_losses(
            scores, batch["label"], weights=weights, exclusive=exclusive
        )
        return losses.sum() / jax.numpy.maximum(known.sum(), 1.0), {"known": known.mean()}

    return loss_fn


def _train_batches(
    train: Dataset, config: ml_collections.ConfigDict, *, start_step: int
) -> Iterator[dict[str, np.ndarray]]:
    exclusive = train.label_set(config.label).exclusive
    batches = make_train_loader(
        train,
        batch_size=config.loader.batch_size,
        seed=config.seed,
        transforms=inputs.make_augmentations(config.augment),
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


def _auroc_evaluator(
    model: ClassifierConfig,
    specification: dict,
    validation: Dataset,
    config: ml_collections.ConfigDict,
    *,
    compute: Compute,
) -> loop.Evaluator:
    """Macro AUROC over the labels of the validation split, by which the best state is chosen."""
    truth = inputs.truth_of(validation, config.label)
    known = ~np.isnan(truth).any(axis=1)
    columns = np.flatnonzero(labels_with(truth[known]))
    function = classifiers.make_probabilities(
        model,
        specification,
        exclusive=validation.label_set(config.label).exclusive,
        compute=compute,
    )

    def evaluator(params: Params) -> dict[str, float]:
        found = classifiers.predict_split(
            functools.partial(function, params),
            validation,
            specification,
            batch_size=config.loader.batch_size,
        )[known]
        areas = [auroc(truth[known][:, k], found[:, k]) for k in columns]
        return {"validation_auroc": float(np.mean(areas))}

    return evaluator


def _test(config: ml_collections.ConfigDict, workdir: pathlib.Path, tests: list[Dataset]) -> None:
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
        task=config.label,
        model="fine-tuned",
        settings=config.bootstrap.to_dict(),
        seed=config.seed,
    )
    metrics |= {"program": "finetune", "checkpoint": finetuned.fingerprint}
    judgement.publish_judgement(workdir, table, metrics, model="fine-tuned")
