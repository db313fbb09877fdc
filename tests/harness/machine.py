"""A tiny pre-training as processes, on one thread of computation each."""

import dataclasses
import pathlib

from processes import TINY_PRETRAINING, Zygote, arguments


@dataclasses.dataclass
class Machine:
    """Starts runs: `main.py` with the arguments of a tiny pre-training."""

    zygote: Zygote
    data_dir: pathlib.Path

    def data(self, data_dir=None):
        folder = data_dir or self.data_dir
        return ("data.name=simulated_ecg", "data.config=tiny", f"data.data_dir={folder}")

    def pretrain(self, workdir, *settings, data_dir=None):
        tiny = (*self.data(data_dir), *TINY_PRETRAINING, "probes=()")
        return arguments("pretrain.py:demo", workdir, *tiny, *settings)

    def start(self, argv, *, devices=1, **options):
        flags = f"--xla_force_host_platform_device_count={devices} "
        flags += "--xla_cpu_multi_thread_eigen=false"
        return self.zygote.start(argv, XLA_FLAGS=flags, **options)

    def run(self, argv, **options):
        """Starts, waits for the end; returns the run with its status."""
        run = self.start(argv, **options)
        run.wait()
        return run

    def succeed(self, argv, **options):
        run = self.run(argv, **options)
        assert run.poll() == 0, run.err
        return run
