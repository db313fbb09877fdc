"""A stricter world than users live in: eight devices, warnings and rank promotion are errors."""

import os
import pathlib

import jax
import processes
import pytest
from absl import flags
from xdist.scheduler import LoadScopeScheduling

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_num_cpu_devices", 8)
jax.config.update("jax_numpy_rank_promotion", "raise")
# The arrays here are small and compiling them took half of the time; programs that are run as
# processes of their own are compiled as a user's are.
jax.config.update("jax_disable_most_optimizations", True)
# Grain reads an absl flag when it starts worker processes.
flags.FLAGS.mark_as_parsed()

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
# Their tests share fixtures that take a minute to make, so one process has the whole room; they
# are begun first, that none of them is left to one process at the end. So is the longest file of
# `make faults`, whose rooms are dealt by file.
LONG_ROOMS = ("faults", "integration")
LONGEST = "tests/faults/test_two_processes.py"


class Rooms(LoadScopeScheduling):
    """Deals tests to processes by file, and by room where the room is costly to furnish.

    One room that is asked for alone is dealt by file: each process furnishes it for itself.
    """

    def _split_scope(self, nodeid):
        alone = len(self.config.args) == 1 and self.config.args[0].startswith("tests/")
        return nodeid.split("::")[0] if alone else share_of(nodeid)


def share_of(nodeid):
    """Whose tests go to one process together."""
    path = nodeid.split("::")[0]
    room = path.split("/")[1]
    return room if room in LONG_ROOMS else path


# xdist 3.8's own groups (`loadgroup`) are not seen under pytest 9.2: it writes them into an
# attribute that pytest no longer reads.
def pytest_xdist_make_scheduler(config, log):
    return Rooms(config, log)


def pytest_collection_modifyitems(items):
    items.sort(
        key=lambda item: (
            share_of(item.nodeid) not in LONG_ROOMS,
            not item.nodeid.startswith(LONGEST),
        )
    )


@pytest.fixture(scope="module")
def optimised():
    """The compiler as users have it: for tests of the last bit."""
    jax.config.update("jax_disable_most_optimizations", False)
    yield
    jax.config.update("jax_disable_most_optimizations", True)


@pytest.fixture(scope="session")
def repository() -> pathlib.Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def zygote(tmp_path_factory) -> processes.Zygote:
    """Starts runs of `main.py`, each a process of its own, without the seconds of its imports."""
    with processes.zygote(tmp_path_factory.mktemp("zygote")) as started:
        yield started


@pytest.fixture(scope="session")
def real_data() -> pathlib.Path:
    """Folder of real recordings and scans; the test skips where there is none."""
    default = REPOSITORY.parent / "shared" / "data"
    folder = pathlib.Path(os.environ.get("ECGMAE_REAL_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder} (set ECGMAE_REAL_DATA)")
    return folder
