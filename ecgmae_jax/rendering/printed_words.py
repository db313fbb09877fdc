"""Random headers and footers in the manner of 12-lead machines.

The words are drawn without regard to the recording: a header must not tell a model what the
traces say. Persons, numbers and versions are made up.
"""

import datetime

import numpy as np

from ecgmae_jax.rendering.header import Header, Text
from ecgmae_jax.rendering.layouts import Field
from ecgmae_jax.rendering.paper import Paper

_FINDINGS = (
    "Left axis deviation",
    "Right axis deviation",
    "Incomplete right bundle branch block",
    "Voltage criteria for left ventricular hypertrophy",
    "Nonspecific ST and T wave abnormality",
    "Inferior infarct, age undetermined",
    "Poor R wave progression",
    "Poor data quality, interpretation may be affected",
)
_DATES = ("%d-%b-%Y %H:%M:%S", "%Y-%m-%d %H:%M", "%d.%m.%Y  %H:%M", "%m/%d/%Y %I:%M %p")
_FILTERS = (
    "0.05-150 Hz",
    "0.05-100 Hz",
    "0.05-40 Hz",
    "0.5-40 Hz",
    "0.15-40 Hz   AC 50 Hz",
    "0.67-100Hz AC60",
    "60~ 0.05-150 Hz",
    "40Hz",
    "150 Hz",
)
_ARRANGEMENTS = ("columns", "columns", "lines", "mirrored", "statements", "footer only")
_TYPEFACES = ("sans", "sans plain", "sans bold", "serif", "serif bold", "mono")
# From one line's foot to the next, in heights of capitals.
_LINE = 1.75
_EDGE_MM = 5.0
# From the header's last line to the top of the field, and the footer's room below it.
_CLEAR_MM = 3.0
_FOOTER_MM = (4.0, 9.0)


def random_header(rng: np.random.Generator, *, paper: Paper, field: Field) -> Header:
    """A header that fits above the field and a footer below it, as far as there is room."""
    capital_mm = round(float(rng.uniform(1.8, 2.5)), 2)
    pitch_mm = _LINE * capital_mm
    left_mm = min(field.left_mm, 10.0)
    width_mm = paper.width_mm - left_mm - _EDGE_MM
    num_lines = max(0, int((field.top_mm - _CLEAR_MM - _EDGE_MM) // pitch_mm))
    texts = [
        Text(words, round(left_mm + share * width_mm, 2), _foot_mm(i, pitch_mm), capital_mm)
        for share, lines in _blocks(rng, letters_mm=capital_mm / width_mm)
        for i, words in enumerate(lines[:num_lines])
        if words
    ]
    foot_mm = field.top_mm + field.height_mm + float(rng.uniform(*_FOOTER_MM))
    if foot_mm < paper.height_mm - 1:
        texts += [
            Text(words, round(left_mm + share * width_mm, 2), round(foot_mm, 2), capital_mm)
            for share, words in _footer(rng, paper)
        ]
    return Header(tuple(texts), typeface=str(rng.choice(_TYPEFACES)))


def _foot_mm(line: int, pitch_mm: float) -> float:
    return round(_EDGE_MM + (line + 1) * pitch_mm, 2)


def _blocks(rng: np.random.Generator, *, letters_mm: float) -> list[tuple[float, list[str]]]:
    """Blocks of lines, each with its left end as a share of the width.

    `letters_mm` is the height of capitals as a share of that width.
    """
    rate = int(rng.integers(42, 130))
    person, (names, values) = _person(rng), _measurements(rng, rate=rate)
    statements = _statements(rng, rate=rate)
    joined = [f"{name} {value}" for name, value in zip(names, values, strict=True)]
    beside = 11.5 * letters_mm
    match str(rng.choice(_ARRANGEMENTS)):
        case "columns":
            return [(0.0, person), (0.24, names), (0.24 + beside, values), (0.54, statements)]
        case "mirrored":
            return [(0.0, names), (beside, values), (0.34, statements), (0.76, person)]
        case "lines":
            return [(0.0, ["   ".join(person), "   ".join(joined[:4]), *statements])]
        case "statements":
            return [(0.0, person[:2]), (0.7, statements)]
    return []


def _person(rng: np.random.Generator) -> list[str]:
    """A person who does not exist, and when and where the recording was made."""
    minutes = int(rng.integers(30 * 365 * 24 * 60))
    moment = datetime.datetime(1996, 1, 1) + datetime.timedelta(minutes=minutes)
    sex = rng.choice(("Male", "Female", "M", "F"))
    lines = [
        f"Patient {rng.integers(10_000):04d}",
        f"ID: {rng.integers(10**6, 10**8)}",
        moment.strftime(str(rng.choice(_DATES))),
        f"{rng.integers(18, 95)} yr  {sex}",
    ]
    extra = (
        f"Room: {rng.integers(1, 60)}",
        f"Tech: {rng.integers(1, 99):02d}",
        f"{rng.integers(150, 195)} cm  {rng.integers(45, 120)} kg",
        "Referred by:",
    )
    return [*lines, *rng.permutation(extra)[: rng.integers(len(extra))].tolist()]


def _measurements(rng: np.random.Generator, *, rate: int) -> tuple[list[str], list[str]]:
    """Names and values of rate, intervals (QT corrected after Bazett) and axes."""
    corrected = int(rng.integers(370, 480))
    qt = round(corrected * (60 / rate) ** 0.5)
    axes = rng.integers(-60, 100, 3)
    values = [
        f"{rate} bpm",
        f"{rng.integers(110, 230)} ms",
        f"{rng.integers(74, 150)} ms",
        f"{qt}/{corrected} ms",
        f"{axes[0]} {axes[1]} {axes[2]}",
    ]
    names = (
        ["Vent. rate", "PR interval", "QRS duration", "QT/QTc", "P-R-T axes"],
        ["Rate", "PR", "QRSD", "QT/QTc", "Axis P QRS T"],
        ["HR", "P-R", "QRS", "QT/QTc", "P/QRS/T"],
    )
    return names[rng.integers(len(names))], values


def _statements(rng: np.random.Generator, *, rate: int) -> list[str]:
    if rate < 60:
        rhythm = "Sinus bradycardia"
    elif rate > 100:
        rhythm = "Sinus tachycardia"
    else:
        rhythm = str(rng.choice(("Sinus rhythm", "Normal sinus rhythm", "Atrial fibrillation")))
    findings = rng.permutation(_FINDINGS)[: rng.integers(3)].tolist()
    verdicts = (
        ("Abnormal ECG", "Borderline ECG") if findings else ("Normal ECG", "Otherwise normal")
    )
    last = "Unconfirmed diagnosis" if rng.random() < 0.3 else str(rng.choice(verdicts))
    return [rhythm, *findings, last]


def _footer(rng: np.random.Generator, paper: Paper) -> list[tuple[float, str]]:
    """Speed, gain, filter and the version of a machine that nobody sells, one line or spread."""
    speed, gain = f"{paper.mm_per_s:g}", paper.printed_gain
    limb, chest = f"{paper.mm_per_mv:g}", f"{paper.chest_mm_per_mv:g}"
    way = (
        [f"{speed} mm/s", f"{gain} mm/mV"],
        [f"{speed}mm/s", f"{gain}mm/mV"],
        [f"{speed} mm/sec", f"{gain} mm/mV"],
        [f"Speed: {speed} mm/sec", f"Limb: {limb} mm/mV", f"Chest: {chest} mm/mV"],
    )
    words = [*way[rng.integers(len(way))], str(rng.choice(_FILTERS))]
    if rng.random() < 0.6:
        version = (
            f"v{rng.integers(1, 9)}.{rng.integers(100):02d}",
            f"SW {rng.integers(1, 9)}.{rng.integers(10)}.{rng.integers(10)}",
            f"SN {rng.integers(10_000, 99_999)}",
            f"{rng.integers(1000):03d}{rng.choice(list('ABCDE'))}",
        )
        words.append(version[rng.integers(len(version))])
    if rng.random() < 0.5:
        return [(0.0, "   ".join(words))]
    return [(0.9 * i / len(words), word) for i, word in enumerate(words)]
