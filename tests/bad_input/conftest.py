"""Records to spoil, builds of them, and a process with limits for what might never end."""

import concurrent.futures
import dataclasses
import functools
import json
import pathlib
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
import tensorflow_datasets as tfds

from data_builders import parallel
from data_builders.ecg_config import EcgConfig
from data_builders.ecg_dataset import EcgBuilder, dataset_info
from data_builders.examples import Entry
from data_builders.features import any_of, content_features, ecg_features, picture_metadata
from ecgmae_jax.records.leads import STANDARD_LEADS, complete_limb_leads

_SCRIPT = """
import json, resource, sys
{imports}
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)
import ecgmae_jax.errors, ecgmae_jax.records.recording
try:
    outcome = {{"value": ({expression})}}
except ecgmae_jax.records.recording.RejectedRecord as rejected:
    outcome = {{"code": rejected.code, "detail": rejected.detail}}
except ecgmae_jax.errors.InputError as fault:
    outcome = {{"code": "InputError", "detail": str(fault)}}
# Not `ru_maxrss`, which a process inherits from the one that starts it.
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
outcome["peak_mib"] = int(status["VmHWM"].split()[0]) // 1024
print(json.dumps(outcome))
"""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a reader gave: a value, or the code (`InputError` for those) and its line."""

    value: object = None
    code: str = ""
    detail: str = ""
    peak_mib: int = 0


@pytest.fixture(scope="session")
def bounded(repository):
    """Runs an expression within so much address space and time; anything but an answer fails."""

    def run(imports: str, expression: str, *, gib: float = 4.0, seconds: float = 60.0) -> Outcome:
        script = _SCRIPT.format(imports=imports, expression=expression)
        done = subprocess.run(
            [sys.executable, "-c", script, str(int(gib * 2**30))],
            cwd=repository,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return Outcome(**json.loads(done.stdout))

    return run


@pytest.fixture
def watched(tmp_path):
    """A folder that a reader may use; afterwards everything around it must be as it was."""
    inside = tmp_path / "given"
    inside.mkdir()
    (tmp_path / "neighbour").mkdir()
    (tmp_path / "neighbour" / "file").write_text("untouched")
    before = _contents(tmp_path, without=inside)
    yield inside
    assert _contents(tmp_path, without=inside) == before


def _contents(folder: pathlib.Path, *, without: pathlib.Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path): path.read_bytes() for path in files if not path.is_relative_to(without)}


@dataclasses.dataclass(frozen=True)
class RecordFiles:
    """A record on disk: twelve leads of smooth waves; each case changes one thing of it.

    Attributes:
        samples: in microvolts, the limb leads by Einthoven's law; or a change of these.
        line: of a signal, formatted with first (value), checksum and lead.
        edit: a change of the header as a whole.
        data: the signal file, from the samples.
        after: a change of the folder.
    """

    folder: pathlib.Path
    samples: np.ndarray | Callable[[np.ndarray], np.ndarray]
    leads: tuple[str, ...] = STANDARD_LEADS
    record_line: str = "r {signals} 500 {length}"
    line: str = "r.dat 16 1000/mV 16 0 {first} {checksum} 0 {lead}"
    edit: Callable[[bytes], bytes] = bytes
    data: Callable[[np.ndarray], bytes] = lambda samples: samples.T.astype("<i2").tobytes()
    after: Callable[[pathlib.Path, np.ndarray], object] = lambda folder, samples: None
    name: str = "r"

    def write(self, **changes: object) -> pathlib.Path:
        """Writes the files and gives the path of the header."""
        record = dataclasses.replace(self, **changes)
        samples = record.samples(self.samples) if callable(record.samples) else record.samples
        num_signals, length = samples.shape
        lines = [record.record_line.format(signals=num_signals, length=length)]
        for lead, values in zip(record.leads, samples, strict=True):
            checksum = int(values.sum()) % 2**16
            lines.append(record.line.format(first=values[0], checksum=checksum, lead=lead))
        header = "\n".join([*lines, "#Age: 63", "#Dx: 426783006", ""]).encode()
        path = self.folder / f"{record.name}.hea"
        path.write_bytes(record.edit(header))
        (self.folder / "r.dat").write_bytes(record.data(samples))
        record.after(self.folder, samples)
        return path


@pytest.fixture
def record_files(watched) -> RecordFiles:
    rng = np.random.default_rng(0)
    time = np.arange(1000) / 500
    waves = [np.sin(2 * np.pi * (rate * time + rng.random())) for rate in rng.uniform(1, 8, 8)]
    independent = ("I", "II", *STANDARD_LEADS[6:])
    signal, _ = complete_limb_leads(np.float32(waves), independent)
    return RecordFiles(watched, np.rint(1000 * signal).astype(np.int64))


CONFIG = EcgConfig(name="signal", form="signal")


class Recordings(EcgBuilder, skip_registration=True):
    """Entries as a test lists them."""

    VERSION = tfds.core.Version("1.0.0")
    builder_configs = {"signal": CONFIG}  # noqa: RUF012
    BUILDER_CONFIGS = [CONFIG]  # noqa: RUF012
    listed = ()
    labels_of = staticmethod(lambda recording: {"labels": {"findings": []}})

    def _info(self):
        labels = {"findings": any_of(("AF", "LBBB"))}
        features = ecg_features(content_features(CONFIG), labels=labels)
        return dataset_info(self, features, picture=picture_metadata(CONFIG))

    def _entries(self, dl_manager, account):
        return {"train": list(self.listed)}


@pytest.fixture
def recordings():
    """The class of that builder."""
    return Recordings


@pytest.fixture
def in_one_process(monkeypatch):
    """Builds start no processes."""
    make_pool = functools.partial(concurrent.futures.ThreadPoolExecutor, max_workers=1)
    monkeypatch.setattr(parallel, "process_pool", make_pool)


@pytest.fixture
def build(watched, in_one_process, monkeypatch):
    """Entries -> the folder of the dataset built of them."""

    def run(*entries):
        monkeypatch.setattr(Recordings, "listed", entries)
        builder = Recordings(data_dir=watched / "data")
        builder.download_and_prepare()
        return pathlib.Path(builder.data_dir)

    yield run
    assert not list((watched / "data").rglob("incomplete.*"))
    assert not list((watched / "data").rglob(".building"))


@pytest.fixture
def entries(record_files):
    """A function from a number to entries of as many records, the third of them cut short."""

    def make(number):
        made = []
        for i in range(number):
            folder = record_files.folder / f"records{i}"
            folder.mkdir()
            record = dataclasses.replace(record_files, folder=folder)
            cut = {"data": lambda samples: b"short"} if i == 2 else {}
            made.append(
                Entry(record.write(**cut), folder, "here", record_id=f"r{i}", patient_id=f"p{i}")
            )
        return made

    return make
