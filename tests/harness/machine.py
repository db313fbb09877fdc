"""A tiny pre-training as processes, on one thread of computation each."""

import dataclasses
import pathlib

from processes import Zygote, arguments


@dataclasses.dataclass
class Machine:
    """Starts runs: `main.py` with the arguments of a tiny pre-training."""

    zygote: Zygote
    data_dir: pathlib.Path

    def data(self, data_dir=None):
        folder = data_dir or self.data_dir
        return ("data.name=simulated_ecg", "data.config=tiny", f"data.data_dir={folder}")

    def pretrain(self, workdir, *settings, data_dir=None):
        """24 steps of 16 pictures, each logged, with a checkpoint every four."""
        return arguments(
            "pretrain.py:demo",
            workdir,
            *self.data(data_dir),
            "epochs=5.12",
            "warmup_epochs=0.5",
            "loader.batch_size=16",
            "loader.workers=0",
            "model.width=32",
            "model.depth=2",
            "model.heads=2",
            "model.decoder_width=32",
            "compute.unroll=False",
            "every.log=1",
            "every.evaluate=12",
            "every.checkpoint=4",
            "probes=()",
            *settings,
        )

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
