"""The files of the PhysioNet/CinC Challenges: labels in headers, and a model's outputs."""

import math
import pathlib
import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64

from ecgmae_jax.errors import InputError
from ecgmae_jax.evaluation.challenge.classes import Classes, text_of

# `#Dx: 1,2` is what the official evaluators read; `# Dx: 1,2` stands in circulating copies.
_DIAGNOSES = re.compile(r"#\s*Dx\s*:(?P<codes>.*)")
_TRUE_WORDS = frozenset({"True", "true", "T", "t"})


def paired_files(
    labels: pathlib.Path, outputs: pathlib.Path
) -> list[tuple[pathlib.Path, pathlib.Path]]:
    """Every header of a folder with the output of the same name, in the order of names."""
    for folder in (labels, outputs):
        if not folder.is_dir():
            raise InputError(f"{folder} is not a folder; name one of .hea and one of .csv files")
    headers = sorted(
        path
        for path in labels.iterdir()
        if path.suffix.lower() == ".hea" and path.is_file() and not path.name.startswith(".")
    )
    if not headers:
        raise InputError(f"{labels} holds no .hea files; name the folder of the records' headers")
    pairs = [(path, outputs / f"{path.stem}.csv") for path in headers]
    missing = [output.name for _, output in pairs if not output.is_file()]
    if missing:
        raise InputError(
            f"{outputs} has no {missing[0]} ({len(missing)} of {len(pairs)} records are missing); "
            "every header needs an output: run predict on all of them"
        )
    return pairs


def read_label(path: pathlib.Path, classes: Classes, *, year: int) -> Bool[np.ndarray, " k"]:
    """The classes that a header's diagnoses name; unscored ones and words count for nothing.

    A header without a line of diagnoses has no class in 2021 and is an InputError in 2020.
    """
    lines = [_DIAGNOSES.match(line) for line in text_of(path).splitlines()]
    found = [line["codes"] for line in lines if line]
    if not found and year == 2020:
        raise InputError(f"{path}: no line `#Dx: <codes>`, without which 2020 knows no truth")
    truth = np.zeros(len(classes.names), bool)
    truth[classes.of(code.strip() for line in found for code in line.split(","))] = True
    return truth


def read_output(
    path: pathlib.Path, classes: Classes, *, year: int
) -> tuple[Bool[np.ndarray, " k"], Float64[np.ndarray, " k"]]:
    """Whether each class is called, and its score; 0 where the file does not have the class.

    Of several columns of one class any calls it, and its score is their mean. In 2021 a column may
    name several codes, joined by `|`, is called by the number 1 or a word for true, and scores 0
    where its score is not finite. In 2020 a column has one code, is called by `1` (not by `1.0`)
    or a word for true, and only a NaN becomes 0, after the mean; a malformed file calls nothing.

    Raises:
        InputError: a malformed file in 2021.
    """
    columns = _columns_2020(path) if year == 2020 else _columns_2021(path)
    found: list[list[tuple[bool, float]]] = [[] for _ in classes.names]
    for codes, is_called, score in columns:
        for k in classes.of(codes):
            found[k].append((is_called, score))
    called = np.array([any(is_called for is_called, _ in one) for one in found])
    scores = np.array([np.mean([score for _, score in one]) if one else 0.0 for one in found])
    return called, np.where(np.isnan(scores), 0.0, scores)


def output_text(
    record_id: str, classes: Sequence[str], called: Sequence[bool], scores: Sequence[float]
) -> str:
    """An output as both years' evaluators read it: record, classes, 0 or 1, scores."""
    answers = ",".join(str(int(one)) for one in called)
    return f"#{record_id}\n{','.join(classes)}\n{answers}\n{','.join(map(repr, scores))}\n"


_Column = tuple[list[str], bool, float]


def _columns_2021(path: pathlib.Path) -> list[_Column]:
    rows = [[cell.strip() for cell in line.split(",")] for line in text_of(path).split("\n")[1:4]]
    if len({len(row) for row in rows}) != 1 or len(rows) != 3:
        raise InputError(
            f"{path}: lines 2 to 4 have {[len(row) for row in rows]} cells; expected three lines "
            "of equal length, classes, 0 or 1, scores, below `#<record>`"
        )
    columns = []
    for codes, answer, score in zip(*rows, strict=True):
        number = _number(score)
        is_called = answer in _TRUE_WORDS or _number(answer) == 1
        columns.append((codes.split("|"), is_called, number if math.isfinite(number) else 0.0))
    return columns


def _columns_2020(path: pathlib.Path) -> list[_Column]:
    lines = [line for line in text_of(path).split("\n") if line.strip()]
    rows = [
        [cell.strip() for cell in line.split(",")]
        for line in lines
        if not line.strip().startswith("#")
    ]
    if len({len(row) for row in rows}) != 1 or len(rows) < 3:
        return []
    return [
        ([code], answer in _TRUE_WORDS | {"1"}, _number(score, otherwise=0.0))
        for code, answer, score in zip(*rows[:3], strict=True)
    ]


def _number(text: str, *, otherwise: float = math.nan) -> float:
    try:
        return float(text)
    except ValueError:
        return otherwise
