"""Training that ends when the validation split sees no more progress, and the best state of it."""

import dataclasses
import json
import pathlib
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh

from ecgmae_jax.errors import InputError
from ecgmae_jax.programs import training_run
from ecgmae_jax.programs.classifiers import Finetuned, load_finetuned
from ecgmae_jax.training.manifests import saved_steps


def fit(
    job: training_run.Job, *, workdir: pathlib.Path, mesh: Mesh, seed: int, patience: int
) -> tuple[Finetuned, dict[str, Any]] | None:
    """The best classifier of the run and how long it took; None if the run was asked to stop.

    A run that ended stays ended when it is started again.

    Args:
        job: judged by its `best_metric`.
        workdir: of the run.
        mesh: to train on.
        seed: of the run.
        patience: evaluations in a row without a better one after which it ends; 0 for never.

    Raises:
        InputError: a patience with which the best state might not have been saved, or below 0.
    """
    if patience < 0:
        raise InputError(f"config.patience is {patience}; expected 0 for never, or more")
    if patience and job.every.evaluate % job.every.checkpoint:
        raise InputError(
            f"config.patience is {patience}, and with every.evaluate={job.every.evaluate} and "
            f"every.checkpoint={job.every.checkpoint} the best state may not be saved; let the "
            "first be a multiple of the second"
        )
    scores = read_scores(workdir, metric=job.best_metric)
    steps = max(scores, default=0)
    if not is_exhausted(scores, patience=patience):
        state = training_run.train(
            _with_patience(job, scores, patience=patience), workdir=workdir, mesh=mesh, seed=seed
        )
        steps = int(state.step)
    ended = is_exhausted(scores, patience=patience)
    if steps < job.total_steps and not ended:
        return None
    model = load_finetuned(workdir, which="best")
    if steps < job.total_steps and jax.process_index() == 0:
        print(
            f"ended early, at step {steps} of {job.total_steps}: {patience} evaluations in a row "
            f"brought no better {job.best_metric} than step {model.step}",
            flush=True,
        )
    return model, {"steps": steps, "scheduled_steps": job.total_steps, "best_step": model.step}


def is_exhausted(scores: Mapping[int, float], *, patience: int) -> bool:
    """Whether the last `patience` evaluations brought nothing better than those before.

    Args:
        scores: step -> figure, the more the better.
        patience: 0 for never.
    """
    if not patience or not scores:
        return False
    ordered = [scores[step] for step in sorted(scores)]
    return len(ordered) - 1 - int(np.argmax(ordered)) >= patience


def read_scores(workdir: pathlib.Path, *, metric: str) -> dict[int, float]:
    """Step -> metric, of the evaluations up to the last saved step, which a run goes on from."""
    path = workdir / "metrics.jsonl"
    if not path.is_file():
        return {}
    last = max((int(one.name) for one in saved_steps(workdir / "checkpoints")), default=0)
    scores = {}
    for line in path.read_text().splitlines():
        try:
            values = json.loads(line)
        except json.JSONDecodeError:
            continue  # The last line of a run that was killed may be cut short.
        if metric in values and values["step"] <= last:
            scores[values["step"]] = values[metric]
    return scores


def _with_patience(
    job: training_run.Job, scores: dict[int, float], *, patience: int
) -> training_run.Job:
    """The job that ends where patience does; its evaluations are added to `scores`."""
    if not patience:
        return job

    def enough(step: int, values: Mapping[str, float]) -> bool:
        for later in [one for one in scores if one > step]:
            del scores[later]  # Of steps that were lost with a damaged checkpoint.
        scores[step] = values[job.best_metric]
        return is_exhausted(scores, patience=patience)

    return dataclasses.replace(job, enough=enough)
