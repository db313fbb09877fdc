"""Shows where the time of a pre-training step goes, and writes a trace of some steps."""

import pathlib
import time
from collections.abc import Iterator, Mapping

import jax
import ml_collections

from ecgmae_jax.models.peak import Peak, device_peak
from ecgmae_jax.programs import pretrain, workdirs
from ecgmae_jax.programs.step_trace import PARTS, instruction_parts, part_shares
from ecgmae_jax.programs.training_run import Job
from ecgmae_jax.training.feeding import placed
from ecgmae_jax.training.mesh import make_mesh, start_distributed
from ecgmae_jax.training.state import TrainState, abstract_state
from ecgmae_jax.training.steps import TrainStep, compile_train_step, make_train_step

_TRACED_STEPS = 3


def run(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
    """Takes `config.steps` steps and prints a table; `profile.json` and `trace/` hold the same."""
    start_distributed()
    mesh = make_mesh(**config.mesh)
    job = pretrain.make_job(config, workdir, mesh=mesh)
    like = abstract_state(job.init_params, job.optimizer, mesh=mesh)
    state, feed = job.first_state(like), placed(job.batches_from(0), mesh)
    key, batch = jax.random.key(config.seed), next(feed)
    start = time.perf_counter()
    compiled = _step(job, like).lower(state, batch, key).compile()
    compile_seconds = time.perf_counter() - start
    state, _ = jax.block_until_ready(compiled(state, batch, key))

    state, seconds, waited = _timed(compiled, state, feed, key, steps=config.steps)
    with jax.profiler.trace(str(workdir / "trace")):
        _timed(compiled, state, feed, key, steps=_TRACED_STEPS)
    shares = part_shares(workdir / "trace", instruction_parts(compiled.as_text()))

    record = {
        "device": jax.devices()[0].device_kind,
        "devices": jax.device_count(),
        "batch_size": job.batch_size,
        "steps": config.steps,
        "compile_seconds": compile_seconds,
        "step_seconds": seconds,
        "examples_per_second": job.batch_size / seconds,
        "seconds": {"input": waited}
        | {part: share * (seconds - waited) for part, share in shares.items()},
    } | utilisation(
        device_peak(job.dtype), flops=job.batch_size * job.flops_per_example, seconds=seconds
    )
    if jax.process_index() == 0:
        workdirs.write_json(workdir / "profile.json", record)
        print(table(record))
        print(f"trace: {workdir / 'trace'} (open it with XProf or Perfetto)")


def utilisation(peak: Peak, *, flops: float, seconds: float) -> dict[str, float | str]:
    """The share of all devices' arithmetic rate that so many operations in so long a time take."""
    rate = flops / seconds
    whole = peak.flops_per_second * jax.device_count()
    return {
        "model_flops_per_second": rate,
        "peak_flops_per_second": whole,
        "peak_source": peak.source,
        "model_flop_utilisation": rate / whole,
    }


def table(record: Mapping) -> str:
    """The record for people."""
    step = record["step_seconds"]
    lines = [
        f"a step of {record['batch_size']} examples takes {step:.3f} s on {record['devices']} x "
        f"{record['device']}: {record['examples_per_second']:.1f} examples/s "
        f"(compiled in {record['compile_seconds']:.1f} s)"
    ]
    for part in ("input", *PARTS, "other"):
        if part in record["seconds"]:
            seconds = record["seconds"][part]
            lines.append(f"  {part:<10}{seconds:9.4f} s {seconds / step:7.1%}")
    lines.append(
        f"model-FLOP utilisation {record['model_flop_utilisation']:.1%}: "
        f"{record['model_flops_per_second'] / 1e9:.1f} of "
        f"{record['peak_flops_per_second'] / 1e9:.1f} Gflop/s ({record['peak_source']})"
    )
    return "\n".join(lines)


def _step(job: Job, like: TrainState) -> TrainStep:
    step = make_train_step(
        job.loss_fn, job.optimizer, learning_rate=job.learning_rate, accumulate=job.accumulate
    )
    return compile_train_step(step, like=like)


def _timed(
    step: TrainStep, state: TrainState, feed: Iterator, key: jax.Array, *, steps: int
) -> tuple[TrainState, float, float]:
    """The state after some steps, and the seconds of a step: all of them, and those of waiting."""
    waited, start = 0.0, time.perf_counter()
    running = None
    for number in range(steps):
        asked = time.perf_counter()
        batch = next(feed)
        waited += time.perf_counter() - asked
        state, metrics = step(state, batch, jax.random.fold_in(key, number))
        # As in training: one step is under way while the next batch is fetched.
        jax.block_until_ready(running)
        running = metrics
    jax.block_until_ready((state, running))
    return state, (time.perf_counter() - start) / steps, waited / steps
