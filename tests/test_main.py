"""The command line as users get it wrong: one line on stderr, an exit status, no traceback."""

import json
import os
import subprocess
import sys

import pytest

from ecgmae_jax import errors

PRETRAIN = "--config=configs/pretrain.py:demo"


@pytest.fixture(scope="module")
def run(zygote):
    return lambda *arguments: zygote.run(arguments)


FAULTS = {
    "no config": ([], "no --config"),
    "no workdir": ([PRETRAIN], "--workdir"),
    "a config that is not there": (
        ["--config=configs/pretrian.py"],
        "there is no file configs/pretrian.py (did you mean 'configs/pretrain.py'?)",
    ),
    "a variant that is not there": (["--config=configs/pretrain.py:dmeo"], "no variant 'dmeo'"),
    "a misspelt field": (
        [PRETRAIN, "--config.model.widht=64"],
        "config.model has no field 'widht' (did you mean 'width'?); it has decoder_depth, ",
    ),
    "a misspelt group": (
        [PRETRAIN, "--config.optimiser.base_lr=1"],
        "config has no field 'optimiser' (did you mean 'optimizer'?)",
    ),
    "a field of a number": ([PRETRAIN, "--config.seed.x=1"], "config.seed is 0, which has no"),
    "text for a whole number": ([PRETRAIN, "--config.seed=abc"], "seed=abc: expected a whole num"),
    "a fraction for a whole number": ([PRETRAIN, "--config.seed=1.5"], "expected a whole number"),
    "text for a number": ([PRETRAIN, "--config.epochs=many"], "epochs=many: expected a number"),
    "text for a switch": (
        [PRETRAIN, "--config.compute.unroll=maybe"],
        "compute.unroll=maybe: expected true or false",
    ),
    "a number for a group": ([PRETRAIN, "--config.model=3"], "model=3: expected a dict in quotes"),
    "an unknown flag": ([PRETRAIN, "--wrokdir=x"], "wrokdir"),
    "an argument without a flag": ([PRETRAIN, "--workdir=x", "seed=1"], "unknown arguments 'seed="),
    "a program that is not there": (
        [PRETRAIN, "--workdir=x", "--config.program=pretrian"],
        "config.program is 'pretrian'",
    ),
    "a bucket as workdir": ([PRETRAIN, "--workdir=gs://bucket/run"], "--workdir is 'gs://bucket/"),
    "a bucket as data": (
        [PRETRAIN, "--workdir=x", "--config.data.data_dir=s3://bucket"],
        "config.data.data_dir is 's3://bucket', an address",
    ),
    "a chained address as data": (
        [PRETRAIN, "--workdir=x", "--config.data.data_dir=zip::data"],
        "config.data.data_dir is 'zip::data', an address",
    ),
    "data that is not there": (
        [PRETRAIN, "--workdir=x", "--config.data.data_dir=/nowhere"],
        "data_dir /nowhere is not a folder",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_of_the_user_is_one_line_and_status_2(run, tmp_path, case):
    arguments, words = FAULTS[case]
    done = run(*(part.replace("=x", f"={tmp_path / 'run'}") for part in arguments))
    assert done.returncode == errors.InputError.exit_code == 2, done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("error: ")
    assert words in line
    assert not (tmp_path / "run").exists()


CONFIGS = {
    "that is no Python": ("def get_config(:\n", "own.py line 1: SyntaxError"),
    "that fails": ("\ndef get_config():\n    return 1 / 0\n", "own.py line 3: ZeroDivisionError"),
    "without get_config": ("x = 1\n", "own.py line 1: KeyError: 'get_config'"),
    "that gives nothing": ("def get_config():\n    pass\n", "gives no config with a `program`"),
    "without a program": (
        "from ml_collections import ConfigDict\n\ndef get_config():\n    return ConfigDict()\n",
        "gives no config with a `program`",
    ),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_a_config_of_the_user_that_fails_is_named_with_its_line(run, tmp_path, case):
    text, words = CONFIGS[case]
    (tmp_path / "own.py").write_text(text)
    done = run(f"--config={tmp_path / 'own.py'}", f"--workdir={tmp_path / 'run'}")
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert words in line


def test_help_is_no_fault(repository):
    # Flags of the program itself are those of the module that Python was started with.
    command = [sys.executable, "main.py", "--help"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=120)
    assert "--workdir" in done.stdout
    assert "Traceback" not in done.stderr


def test_every_error_for_people_has_an_exit_status_of_its_own():
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.Fault) and kind is not errors.Fault
    ]
    statuses = [kind.exit_code for kind in kinds]
    assert len(set(statuses)) == len(statuses) > 1
    assert min(statuses) > 1


@pytest.mark.parametrize("status", [3, 5])
def test_the_status_is_that_of_the_error(repository, status):
    # In a process of its own: flags are parsed once in a process.
    script = f"""
import sys, types
import ecgmae_jax.programs
from ecgmae_jax import errors
class Stopped(errors.Fault):
    exit_code = {status}
def run(config, workdir):
    raise Stopped("two\\nlines")
sys.modules["ecgmae_jax.programs.pretrain"] = types.SimpleNamespace(run=run)
sys.argv = ["main.py", "{PRETRAIN}", "--workdir=/tmp/none"]
import runpy
runpy.run_path("main.py", run_name="__main__")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=repository, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (status, "error: two lines\n")


@pytest.mark.skipif(sys.platform != "linux", reason="a setting of glibc")
@pytest.mark.parametrize("chosen", [None, "glibc.malloc.check=0"])
def test_large_arrays_lie_in_large_pages_and_the_process_keeps_its_number(
    repository, tmp_path, chosen
):
    config = tmp_path / "config.py"
    config.write_text(f"""
import json, os, pathlib
import ml_collections

def get_config():
    found = [os.getpid(), os.environ["GLIBC_TUNABLES"]]
    pathlib.Path({str(tmp_path / "found.json")!r}).write_text(json.dumps(found))
    return ml_collections.ConfigDict({{"program": "none"}})
""")
    environment = {k: v for k, v in os.environ.items() if k != "GLIBC_TUNABLES"}
    environment |= {"GLIBC_TUNABLES": chosen} if chosen else {}
    command = [sys.executable, "main.py", f"--config={config}", f"--workdir={tmp_path / 'run'}"]
    with subprocess.Popen(command, cwd=repository, env=environment, stderr=subprocess.PIPE) as run:
        run.communicate(timeout=120)
    found = json.loads((tmp_path / "found.json").read_text())
    assert found == [run.pid, chosen or "glibc.malloc.hugetlb=1"]
    assert run.returncode == errors.InputError.exit_code
