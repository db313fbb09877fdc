"""Programs after pre-training, killed on the way: their results are all there or not at all."""

import signal

import pytest

pytestmark = pytest.mark.faults


def files(workdir):
    return {
        str(path.relative_to(workdir)): path.read_bytes()
        for path in sorted(workdir.rglob("*"))
        if path.suffix in (".csv", ".npz", ".parquet")
    }


@pytest.fixture(scope="module")
def embedded(machine, oracle, tmp_path_factory, request):
    workdir = tmp_path_factory.mktemp("embed")
    machine.succeed(embed(machine, oracle, workdir))
    return workdir


def embed(machine, oracle, workdir):
    settings = (*machine.data(), f"checkpoint={oracle}", "pooling=both", "pca.components=16")
    return request_line("embed.py:demo", workdir, *settings)


def request_line(config, workdir, *settings):
    return [
        f"--config=configs/{config}",
        f"--workdir={workdir}",
        *(f"--config.{setting}" for setting in settings),
    ]


def probe(embedded, workdir):
    rows = {"MAE": "embeddings", "random": "embeddings_random", "PCA": "embeddings_pca"}
    rows["convolutions"] = "embeddings_convolutions"
    settings = [f"rows.{name}={embedded / file}.parquet" for name, file in rows.items()]
    return request_line(
        "linear_probe.py:demo",
        workdir,
        *settings,
        "order=('MAE','random','PCA')",
        "bootstrap.resamples=50",
    )


def finetune(machine, oracle, workdir):
    settings = (
        *machine.data(),
        f"checkpoint={oracle}",
        "epochs=2",
        "loader.batch_size=16",
        "every.evaluate=5",
        "every.checkpoint=5",
        "bootstrap.resamples=50",
    )
    return request_line("finetune.py:demo", workdir, *settings)


@pytest.fixture(scope="module")
def commands(machine, oracle, embedded):
    return {
        "embed": lambda workdir: embed(machine, oracle, workdir),
        "linear_probe": lambda workdir: probe(embedded, workdir),
        "finetune": lambda workdir: finetune(machine, oracle, workdir),
    }


@pytest.fixture(scope="module")
def undisturbed_results(machine, commands, tmp_path_factory):
    made = {}

    def results(program):
        if program not in made:
            workdir = tmp_path_factory.mktemp(program)
            machine.succeed(commands[program](workdir))
            made[program] = files(workdir)
        return made[program]

    return results


@pytest.mark.parametrize("count", [0, 1])
@pytest.mark.parametrize("program", ["linear_probe", "finetune"])
def test_f25_killed_while_results_are_put_in_place(
    machine, commands, undisturbed_results, tmp_path, program, count
):
    argv = commands[program](tmp_path)
    killed = machine.run(argv, fault=("kill_in_publication", count))
    assert killed.poll() == -signal.SIGKILL
    assert not (tmp_path / "metrics.json").exists()
    machine.succeed(argv)
    assert files(tmp_path) == undisturbed_results(program)
    assert not list(tmp_path.glob(".unfinished*"))


@pytest.mark.parametrize("seconds", [0.5, 2.0])
@pytest.mark.parametrize("program", ["embed", "linear_probe", "finetune"])
def test_f25_killed_at_any_time(machine, commands, undisturbed_results, tmp_path, program, seconds):
    argv = commands[program](tmp_path)
    killed = machine.run(argv, fault=("kill_after", seconds))
    if killed.poll() == -signal.SIGKILL:
        assert not (tmp_path / "metrics.json").exists()
    machine.succeed(argv)
    assert files(tmp_path) == undisturbed_results(program)
