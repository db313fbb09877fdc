"""Cross-validation: every record predicted once, by a model that never saw its patient."""

import dataclasses
import hashlib
import io
import json
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from ecgmae_jax.data.source import Dataset
from ecgmae_jax.data.split_files import ROLES, Round, fold_rounds, read_splits
from ecgmae_jax.data.subsets import deal_folds, patients_of, subset
from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.embeddings import Embeddings
from ecgmae_jax.evaluation.publishing import write_whole
from ecgmae_jax.programs.classifier_results import FOLD, predicted_pictures

_MIN_FOLDS = 3
# Settings that change how a run is computed or what is reported of it, not what it predicts.
_FREE = ("compute", "mesh", "bootstrap")
_PREDICTED = "predicted.npz"

# (train, validation, test, workdir) -> probabilities of the test pictures and facts about the
# training; None where it was asked to stop.
RunRound = Callable[
    [Dataset, Dataset, Dataset, pathlib.Path], tuple[np.ndarray, dict[str, Any]] | None
]


@dataclasses.dataclass(frozen=True, eq=False)
class Rounds:
    """Which pictures train, choose and are tested in which round.

    Attributes:
        parts: name of the part of each picture: a fold, a site.
        rounds: of each, the parts that train, validate and test.
    """

    parts: np.ndarray
    rounds: tuple[Round, ...]


def make_rounds(
    dataset: Dataset, *, splits_file: str, task: str, num_folds: int, seed: int
) -> Rounds:
    """The rounds of a splits file; without one, a round for each of so many folds.

    A fold is tested in its round, and the next one chooses the best state.

    Raises:
        InputError: fewer than three folds, fewer patients than folds, or a splits file that does
            not know one of the patients.
    """
    if splits_file:
        splits = read_splits(splits_file)
        return Rounds(np.array(splits.part_of(patients_of(dataset).tolist())), splits.rounds)
    if num_folds < _MIN_FOLDS:
        raise InputError(
            f"config.folds is {num_folds}; choose 0 for the splits of the dataset, or at least "
            f"{_MIN_FOLDS}: one is tested, one chooses the best state, the others train"
        )
    parts = deal_folds(dataset, task=task, num_folds=num_folds, seed=seed)
    return Rounds(parts, fold_rounds(f"fold{number}" for number in range(1, num_folds + 1)))


def predict_in_rounds(
    dataset: Dataset,
    rounds: Rounds,
    run_round: RunRound,
    *,
    task: str,
    workdir: pathlib.Path,
    settings: Mapping[str, Any],
) -> tuple[Embeddings, list[dict[str, Any]]] | None:
    """Every tested picture with its probabilities and its fold, and the facts of each round.

    The fold is the name of the first part that its round tests. A round that is finished leaves a
    file in `workdir`/<number> and is not trained again. None where one was asked to stop.

    Args:
        dataset: all pictures.
        rounds: of them.
        run_round: trains and predicts.
        task: what is predicted.
        workdir: for the rounds.
        settings: whatever the predictions depend on, as JSON can hold it.

    Raises:
        InputError: a round without pictures for a role, pictures that two rounds test, or finished
            rounds of other settings.
    """
    identity = _fingerprint(rounds, settings)
    every, found, facts = _rows(rounds), [], []
    for number, rows in enumerate(every, start=1):
        path = workdir / str(number) / _PREDICTED
        one = _read(path, identity)
        if one is None:
            train, validation, test = (subset(dataset, rows[role], split=role) for role in ROLES)
            one = run_round(train, validation, test, path.parent)
            if one is None:
                return None
            if jax.process_index() == 0:
                _write(path, *one, identity=identity)
        found.append(one[0])
        facts.append({"round": number, "parts": dict(rounds.rounds[number - 1]), **one[1]})
    tested = np.concatenate([rows["test"] for rows in every])
    pictures = predicted_pictures(
        [subset(dataset, tested, split=dataset.split)], [np.concatenate(found)], task=task
    )
    folds = [[one["parts"]["test"][0]] * len(p) for one, p in zip(facts, found, strict=True)]
    frame = pictures.frame.assign(**{FOLD: np.concatenate(folds)})
    return dataclasses.replace(pictures, frame=frame), facts


def _rows(rounds: Rounds) -> list[dict[str, np.ndarray]]:
    """The places of the pictures of each role, of each round."""
    every = [
        {role: np.flatnonzero(np.isin(rounds.parts, parts[role])) for role in ROLES}
        for parts in rounds.rounds
    ]
    for number, rows in enumerate(every, start=1):
        for role in ROLES:
            if not len(rows[role]):
                raise InputError(
                    f"round {number} has no pictures for {role} (parts "
                    f"{list(rounds.rounds[number - 1][role])}); build the dataset with all parts "
                    "of the splits, or make other splits"
                )
    tested = np.concatenate([rows["test"] for rows in every])
    if len(np.unique(tested)) < len(tested):
        raise InputError(
            f"{len(tested) - len(np.unique(tested))} pictures are tested in more than one round; "
            "make splits in which each is tested once"
        )
    return every


def _fingerprint(rounds: Rounds, settings: Mapping[str, Any]) -> str:
    kept = {name: value for name, value in settings.items() if name not in _FREE}
    described = [kept, rounds.parts.tolist(), [dict(one) for one in rounds.rounds]]
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:16]


def _write(
    path: pathlib.Path, probabilities: np.ndarray, facts: Mapping[str, Any], *, identity: str
) -> None:
    """Writes the file whole or not at all."""
    content = io.BytesIO()
    np.savez(content, probabilities=probabilities, facts=json.dumps(facts), identity=identity)
    write_whole(path, content.getvalue())


def _read(path: pathlib.Path, identity: str) -> tuple[np.ndarray, dict[str, Any]] | None:
    """What `_write` wrote for the same identity; None where there is nothing."""
    if not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as content:
        if str(content["identity"]) != identity:
            raise InputError(
                f"{path} was made with other settings, folds or data than this run has; give back "
                "the settings that config.json had then, or use another workdir"
            )
        return content["probabilities"], json.loads(str(content["facts"]))
