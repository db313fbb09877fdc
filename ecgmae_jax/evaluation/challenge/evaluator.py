r"""Scores of the PhysioNet/CinC Challenges of 2020 and 2021, as the official evaluators give them.

    python -m ecgmae_jax.evaluation.challenge LABELS OUTPUTS scores.csv [class_scores.csv] \
        --year=2021 --weights=weights.csv

LABELS is a folder of headers (.hea), OUTPUTS one of the outputs (.csv) of the same names.
"""

import argparse
import dataclasses
import pathlib
import sys
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float64

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.challenge import measures
from ecgmae_jax.evaluation.challenge.classes import YEARS, Classes, read_classes
from ecgmae_jax.evaluation.challenge.files import paired_files, read_label, read_output
from ecgmae_jax.evaluation.publishing import write_whole

SINUS_RHYTHM = "426783006"
_BETA_2020 = 2.0


@dataclasses.dataclass(frozen=True, eq=False)
class ChallengeScores:
    """The official figures.

    Attributes:
        overall: name of the measure -> value, in the order of scores.csv.
        by_class: name of the measure -> value of each class.
    """

    classes: tuple[str, ...]
    overall: Mapping[str, float]
    by_class: Mapping[str, Float64[np.ndarray, " k"]]

    def scores_csv(self) -> str:
        """The official scores.csv, three digits and no newline at the end."""
        values = ",".join(f"{value:.3f}" for value in self.overall.values())
        return f"{','.join(self.overall)}\n{values}"

    def class_scores_csv(self) -> str:
        """The official class_scores.csv."""
        rows = {"Classes": self.classes} | {
            name: [f"{value:.3f}" for value in values] for name, values in self.by_class.items()
        }
        return "\n".join(",".join([name, *cells]) for name, cells in rows.items())


def evaluate(
    labels: pathlib.Path, outputs: pathlib.Path, *, weights: pathlib.Path, year: int
) -> ChallengeScores:
    """The scores of a folder of outputs; every header of `labels` needs one.

    Raises:
        InputError: for a fault in one of the files, which the message names.
    """
    classes = read_classes(weights, year=year)
    pairs = paired_files(labels, outputs)
    truth = np.stack([read_label(header, classes, year=year) for header, _ in pairs])
    answers = [read_output(output, classes, year=year) for _, output in pairs]
    called, scores = (np.stack(part) for part in zip(*answers, strict=True))
    return score(truth, called, scores, classes=classes, year=year)


def score(
    truth: Bool[np.ndarray, "r k"],
    called: Bool[np.ndarray, "r k"],
    scores: Float64[np.ndarray, "r k"],
    *,
    classes: Classes,
    year: int,
) -> ChallengeScores:
    """The scores of answers already read, one row per record and one column per class."""
    sinus_rhythm = classes.of([SINUS_RHYTHM])
    if not sinus_rhythm:
        raise InputError(
            f"the weights have no class {SINUS_RHYTHM} (sinus rhythm), which scores 0 by "
            "definition; give the weights.csv of the Challenge's evaluation code"
        )
    auroc, auprc = measures.areas(truth, scores)
    f_measure = measures.f_measures(truth, called)
    by_class = {"AUROC": auroc, "AUPRC": auprc, "F-measure": f_measure}
    means = {name: measures.mean_of_known(values) for name, values in by_class.items()}
    overall = {
        "AUROC": means["AUROC"],
        "AUPRC": means["AUPRC"],
        "Accuracy": measures.accuracy(truth, called),
        "F-measure": means["F-measure"],
    }
    if year == 2020:
        f_beta, g_beta = measures.beta_measures(truth, called, beta=_BETA_2020)
        overall["Fbeta-measure"] = measures.mean_of_known(f_beta)
        overall["Gbeta-measure"] = measures.mean_of_known(g_beta)
    overall["Challenge metric"] = measures.challenge_metric(
        truth, called, weights=classes.weights, sinus_rhythm=sinus_rhythm[0]
    )
    return ChallengeScores(classes.names, overall, by_class)


def main(arguments: Sequence[str]) -> int:
    """Scores the folders that the command names: 0, or 2 for a fault in the input."""
    parser = argparse.ArgumentParser(
        prog="python -m ecgmae_jax.evaluation.challenge", description=__doc__.split("\n\n")[0]
    )
    for name in ("labels", "outputs", "scores"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("class_scores", type=pathlib.Path, nargs="?")
    parser.add_argument("--year", type=int, choices=YEARS, default=YEARS[-1])
    parser.add_argument("--weights", type=pathlib.Path, default=pathlib.Path("weights.csv"))
    given = parser.parse_args(arguments)
    try:
        found = evaluate(given.labels, given.outputs, weights=given.weights, year=given.year)
        _write(given.scores, found.scores_csv())
        if given.class_scores is not None:
            _write(given.class_scores, found.class_scores_csv())
    except InputError as fault:
        print(f"error: {fault}", file=sys.stderr)
        return 2
    print(found.scores_csv())
    return 0


def _write(path: pathlib.Path, text: str) -> None:
    try:
        write_whole(path, text.encode())
    except OSError as fault:
        raise InputError(f"{path} cannot be written: {fault.strerror}") from fault
