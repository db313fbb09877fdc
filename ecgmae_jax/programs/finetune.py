"""Fine-tunes a pre-trained encoder for one task and judges the best state on the test splits."""

import functools
import pathlib
from collections.abc import Callable

import ml_collections
from jax.sharding import Mesh

from ecgmae_jax.data.source import Dataset
from ecgmae_jax.evaluation.embeddings import Embeddings
from ecgmae_jax.programs import (
    cross_validation,
    finetune_data,
    workdirs,
)
from ecgmae_jax.programs.classifier_results import RunResults, predict_parts, publish_results
from ecgmae_jax.programs.computing import make_compute
from ecgmae_jax.programs.early_stopping import fit
from ecgmae_jax.programs.encoders import Pretrained, load_pretrained
from ecgmae_jax.programs.finetune_job import make_finetune_job
from ecgmae_jax.programs.pretraining_checks import keep_identities
from ecgmae_jax.training.mesh import make_mesh, start_distributed


def run(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
    """Trains, then writes predictions.csv and metrics.json; with folds, one model for each."""
    start_distributed()
    mesh = make_mesh(**config.mesh)
    pretrained = load_pretrained(config.checkpoint, which=config.which)
    predict = _cross_validate if config.folds or config.splits_file else _train_and_test
    done = predict(config, pretrained, workdir, mesh=mesh)
    if done is not None:
        publish_results(
            workdir,
            done,
            task=config.label,
            aggregation=config.aggregation,
            bootstrap=config.bootstrap.to_dict(),
            seed=config.seed,
            facts={"program": "finetune", "pretrained": pretrained.fingerprint},
        )


def _train_and_test(
    config: ml_collections.ConfigDict, pretrained: Pretrained, workdir: pathlib.Path, *, mesh: Mesh
) -> RunResults | None:
    parts = finetune_data.open_parts(
        config.data, config.splits, pretrained.specification, seed=config.seed
    )
    leakage = finetune_data.check_pretraining(
        parts.tests, config.checkpoint, allowed=config.allow_overlap
    )
    data = {parts.train.name: parts.train.fingerprint}
    record = workdirs.open_workdir(workdir, config, data=data)
    keep_identities(workdir, (parts.train, parts.validation), before=config.checkpoint)
    job = make_finetune_job(config, pretrained, parts.train, parts.validation, record=record)
    fitted = fit(job, workdir=workdir, mesh=mesh, seed=config.seed, patience=config.patience)
    if fitted is None:
        return None
    (model, facts), predict = fitted, _predictor(config)
    return RunResults(
        test=predict(model, parts.tests),
        further={"validation": predict(model, [parts.validation])},
        facts={"checkpoint": model.fingerprint, "training": facts, "leakage": leakage},
    )


def _cross_validate(
    config: ml_collections.ConfigDict, pretrained: Pretrained, workdir: pathlib.Path, *, mesh: Mesh
) -> RunResults | None:
    names = "all" if config.splits_file else finetune_data.every_split(config.splits)
    pooled = finetune_data.open_split(config.data, names, pretrained.specification)
    rounds = cross_validation.make_rounds(
        pooled,
        splits_file=config.splits_file,
        task=config.label,
        num_folds=config.folds,
        seed=config.seed,
    )
    leakage = finetune_data.check_pretraining(
        [pooled], config.checkpoint, allowed=config.allow_overlap
    )
    record = workdirs.open_workdir(workdir, config, data={pooled.name: pooled.fingerprint})
    keep_identities(workdir, (pooled,), before=config.checkpoint)
    predict = _predictor(config)

    def run_round(train: Dataset, validated: Dataset, test: Dataset, folder: pathlib.Path):
        job = make_finetune_job(config, pretrained, train, validated, record=record)
        fitted = fit(job, workdir=folder, mesh=mesh, seed=config.seed, patience=config.patience)
        return None if fitted is None else (predict(fitted[0], [test]).matrix, fitted[1])

    done = cross_validation.predict_in_rounds(
        pooled,
        rounds,
        run_round,
        task=config.label,
        workdir=workdir / "rounds",
        settings=record["config"]
        | {"pretrained": pretrained.fingerprint, "pictures": pooled.fingerprint},
    )
    return RunResults(done[0], {}, {"rounds": done[1], "leakage": leakage}) if done else None


def _predictor(config: ml_collections.ConfigDict) -> Callable[..., Embeddings]:
    compute = make_compute(**config.compute)
    return functools.partial(predict_parts, batch_size=config.loader.batch_size, compute=compute)
