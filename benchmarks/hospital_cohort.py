"""A hospital's folder made of PTB-XL's fold 9: scans under made-up names, and a table.

    python benchmarks/hospital_cohort.py --data_dir=<out of tfds build> --folder=<new folder>

Each recording of the validation split of ptb_xl/signal is drawn on one of many random sheets and
put through a scanner (rendering's preset `scan`), printed with a made-up name, and stored as a
JPEG or PNG file named after its patient, as hospitals do. ECG, age, sex and diagnoses are
PTB-XL's; the heart rate is counted by a program; sites, dates, names and the time to an event are
made up: the folder is for trying the way from scans to a report, not for science.
"""

import argparse
import csv
import datetime
import pathlib
import secrets

import jax
import jax.numpy as jnp
import numpy as np
import scipy.signal
import tensorflow_datasets as tfds
from PIL import Image, ImageDraw, ImageFont

from ecgmae_jax.rendering.drawing import draw, make_deck
from ecgmae_jax.rendering.sampler import LayoutSampler
from ecgmae_jax.rendering.scan.presets import preset
from ecgmae_jax.rendering.scan.scanner import make_scanner

BATCH = 8
HEIGHT, WIDTH = 768, 1024
NUM_SHEETS = 16
FIRST = ("Anna", "Bernd", "Carla", "Dieter", "Elif", "Fatma", "Georg", "Hanna", "Igor", "Julia")
LAST = ("Adler", "Becker", "Celik", "Dorn", "Engel", "Fuchs", "Graf", "Huber", "Ivanov", "Jung")
SITES = ("North", "South", "University")
RHYTHMS = {"SR": "sinus", "AFIB": "fibrillation", "AFLT": "fibrillation"}

COHORT = """\
source = "hospital"
key_file = "{key}"

[columns]
path = "File"
patient_id = "Patient"
age = "Age"
sex = "Sex"
recorded_on = "Date"
site = "Site"

[outcomes.abnormal]
column = "Abnormal"
type = "binary"
classes = ["no", "yes"]

[outcomes.rhythm]
column = "Rhythm"
type = "multi-class"

[outcomes.superclass]
column = "Findings"
type = "multi-label"

[outcomes.heart_rate]
column = "Rate"
type = "continuous"
unit = "1/min"

[outcomes.death]
column = "Followed"
type = "time-to-event"
event = "Died"
unit = "years"

# Where the name is printed.
[[masks]]
left = 0.0
top = 0.0
right = 1.0
bottom = 0.09
"""


def main() -> None:
    """Writes the folder: scans/, table.csv and cohort.toml, and the key beside it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data_dir", required=True, type=pathlib.Path)
    parser.add_argument("--folder", required=True, type=pathlib.Path)
    parser.add_argument("--seed", default=0, type=int)
    given = parser.parse_args()
    source = tfds.builder("ptb_xl/signal", data_dir=given.data_dir).as_data_source("validation")
    examples = [source[i] for i in range(len(source))]
    features = tfds.builder("ptb_xl/signal", data_dir=given.data_dir).info.features["labels"]
    (given.folder / "scans").mkdir(parents=True)
    scan = make_scan(given.seed)
    rows = []
    for start in range(0, len(examples), BATCH):
        some = examples[start : start + BATCH]
        rows += [row_of(e, features, number=start + i, seed=given.seed) for i, e in enumerate(some)]
        signals = [e["signal"] for e in some + some[:1] * (BATCH - len(some))]
        pages = scan(np.stack(signals), [row["Name"] for row in rows[start:]], start)
        for row, page in zip(rows[start:], pages, strict=False):
            write_scan(given.folder / row["File"], page, row["Name"])
    with (given.folder / "table.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, [name for name in rows[0] if name != "Name"])
        writer.writeheader()
        writer.writerows({k: v for k, v in row.items() if k != "Name"} for row in rows)
    key = given.folder.with_name(f"{given.folder.name}.key")
    if not key.exists():
        key.touch(mode=0o600)
        key.write_text(secrets.token_hex(32))
    (given.folder / "cohort.toml").write_text(COHORT.format(key=f"../{key.name}"))
    print(f"{len(rows)} scans of {len({row['Patient'] for row in rows})} patients: {given.folder}")


def make_scan(seed: int):
    """The function from stored signals, names and the first one's number to scanned pages."""
    sheets = LayoutSampler(seed, height=HEIGHT, width=WIDTH, channels=3).sheets(NUM_SHEETS)
    deck = make_deck(sheets, rate_hz=500.0)
    scanner = make_scanner(
        preset("scan"), height=HEIGHT, width=WIDTH, channels=3, px_per_mm=sheets[0].px_per_mm
    )

    # The deck is an argument: as a constant it would take a minute to compile.
    @jax.jit
    def drawn(deck, signal, key):
        millivolts = jnp.where(signal == -32768, jnp.nan, signal.astype(jnp.float32) / 1000)
        return draw(deck, millivolts, jax.random.randint(key, (BATCH,), 0, NUM_SHEETS)).image

    def scan(signal, names, start):
        key = jax.random.key(seed * 10_000 + start)
        pages = [Image.fromarray(page) for page in np.asarray(drawn(deck, signal, key))]
        for page, name in zip(pages, names, strict=False):
            ImageDraw.Draw(page).text((24, 6), name, "black", ImageFont.load_default(20))
        keys = jax.random.split(jax.random.fold_in(key, 1), BATCH)
        return np.asarray(scanner(jnp.asarray(np.stack(pages)), keys)[0])

    return scan


def row_of(example, features, *, number: int, seed: int) -> dict:
    """The row of the table, and the name that is printed on the scan."""
    patient = example["patient_id"].decode()
    rng = np.random.default_rng([seed, int(patient)])
    first, last = rng.choice(FIRST), rng.choice(LAST)
    site = rng.choice(SITES)
    of_scan = np.random.default_rng([seed, int(patient), number])
    date = datetime.date(2018, 1, 1) + datetime.timedelta(days=int(of_scan.integers(6 * 365)))
    statements = [features["statements"].feature.names[i] for i in example["labels"]["statements"]]
    classes = [features["superclass"].feature.names[i] for i in example["labels"]["superclass"]]
    rhythm = next((word for code, word in RHYTHMS.items() if code in statements), "other")
    age, sick = float(example["age_years"]), bool(set(classes) - {"NORM"})
    hazard = 0.02 * np.exp(0.05 * (np.nan_to_num(age, nan=60.0) - 60)) * (2.5 if sick else 1.0)
    time, end = rng.exponential(1 / hazard), rng.uniform(2, 8)
    suffix = "png" if number % 3 == 0 else "jpg"
    return {
        "File": f"scans/{last}_{first}_{date:%Y%m%d}_{number:04d}.{suffix}",
        "Patient": f"{int(patient) + 40_000_000}",
        "Date": date.isoformat(),
        "Sex": {"female": "F", "male": "M"}.get(example["sex"].decode(), ""),
        "Age": "" if np.isnan(age) else f"{age:.0f}",
        "Site": site,
        "Abnormal": "" if not classes else "yes" if sick else "no",
        "Rhythm": rhythm,
        "Findings": ",".join(classes),
        "Rate": f"{heart_rate(example['signal']):.0f}",
        "Followed": f"{min(time, end):.2f}",
        "Died": int(time < end),
        "Name": f"{last}, {first}   {int(patient) + 40_000_000}",
    }


def heart_rate(signal: np.ndarray) -> float:
    """Beats a minute: peaks of the steepness summed over the leads."""
    steep = np.abs(np.diff(np.where(signal == -32768, 0, signal).astype(float), axis=1)).sum(axis=0)
    smooth = scipy.signal.lfilter(np.ones(40) / 40, 1.0, steep)
    peaks, _ = scipy.signal.find_peaks(smooth, distance=150, height=0.4 * np.quantile(smooth, 0.99))
    return 60 * 500 / float(np.median(np.diff(peaks))) if len(peaks) > 1 else 0.0


def write_scan(path: pathlib.Path, page: np.ndarray, name: str) -> None:
    """The page, with the name in the file's EXIF as well."""
    exif = Image.Exif()
    exif[0x010E] = name
    options = {"quality": 88} if path.suffix == ".jpg" else {}
    Image.fromarray(page).save(path, exif=exif, **options)


if __name__ == "__main__":
    main()
