r"""What a build of real recordings yields a second, with one process and with two.

    python benchmarks/build.py --manual_dir=<ptb-xl folder>             # about two minutes
    python benchmarks/build.py --manual_dir=<ptb-xl folder> --records=200

Builds the `sheet` config of `ptb_xl` (384x512 sheets as PNG in ArrayRecord) from the first
recordings of its training folds, by the command a user types, on one core with one process and
on two cores with two, in turn, each in a fresh folder. A smaller build (a tenth) of each kind is
taken off both, so that starting Python and compiling the drawing are not counted. Prints one JSON
line: pictures a second and the ratio of the two.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time


def build(manual_dir: str, *, records: int, cores: set[int]) -> tuple[float, int]:
    """Wall time of one `tfds build` on those cores, and how many pictures it made.

    `records` is the most for each split.
    """
    tfds = pathlib.Path(sys.executable).with_name("tfds")
    with tempfile.TemporaryDirectory() as folder:
        command = [
            str(tfds),
            "build",
            "data_builders/ptb_xl",
            "--config=sheet",
            f"--manual_dir={manual_dir}",
            f"--data_dir={folder}",
            f"--max_examples_per_split={records}",
        ]
        start = time.perf_counter()
        subprocess.run(
            command,
            check=True,
            capture_output=True,
            cwd=pathlib.Path(__file__).resolve().parent.parent,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        seconds = time.perf_counter() - start
        (info,) = pathlib.Path(folder).glob("**/dataset_info.json")
        splits = json.loads(info.read_text())["splits"]
        return seconds, sum(int(n) for split in splits for n in split["shardLengths"])


def main() -> None:
    """Builds twice with each number of cores and prints the line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--manual_dir", required=True)
    parser.add_argument("--records", type=int, default=1_000)
    given = parser.parse_args()
    some = sorted(os.sched_getaffinity(0))
    if len(some) < 2:
        parser.error("this process may use one core only; two are needed")
    few, all_pictures = given.records // 10, 0
    rates = {}
    for count in (1, 2):
        cores = set(some[:count])
        short, some_pictures = build(given.manual_dir, records=few, cores=cores)
        whole, all_pictures = build(given.manual_dir, records=given.records, cores=cores)
        rates[count] = (all_pictures - some_pictures) / (whole - short)
    line = {
        "benchmark": "build",
        "subject": "ptb_xl/sheet, 2 processes",
        "peer": "1 process",
        "pictures": all_pictures,
        "subject_per_second": round(rates[2], 1),
        "peer_per_second": round(rates[1], 1),
        "ratio": round(rates[2] / rates[1], 2),
    }
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
