"""The grid of devices that a run computes on, and the processes that own them."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import jax
from jax.sharding import AxisType, Mesh

from ecgmae_jax.errors import InputError

AXES = ("data", "fsdp")


def make_mesh(*, data: int = -1, fsdp: int = 1, devices: Sequence[Any] | None = None) -> Mesh:
    """A (data, fsdp) grid over all devices.

    Args:
        data: devices along which whole copies of the state lie; -1 takes all that `fsdp` leaves.
        fsdp: devices along which one copy of the state is cut into pieces.
        devices: of JAX, the ones to use; all of them, of every process, by default.

    Raises:
        InputError: the grid and the devices are not of one size.
    """
    devices = jax.devices() if devices is None else devices
    if fsdp < 1 or data < -1 or data == 0:
        raise InputError(
            f"mesh data={data}, fsdp={fsdp}: sizes are positive; -1 for data means the rest"
        )
    if data == -1:
        data = len(devices) // fsdp
    if data * fsdp != len(devices):
        raise InputError(
            f"mesh data={data} times fsdp={fsdp} covers {data * fsdp} devices but there are "
            f"{len(devices)}; choose an fsdp that divides {len(devices)} and data=-1"
        )
    return jax.make_mesh((data, fsdp), AXES, (AxisType.Auto,) * len(AXES), devices=devices)


def cluster_of(environment: Mapping[str, str]) -> str | None:
    """The kind of multi-process job that the environment variables describe, if any.

    A SLURM or Open MPI job of one task is no cluster, nor is a shell inside an allocation.
    """
    if "JAX_COORDINATOR_ADDRESS" in environment:
        return "coordinator"
    tasks = int(environment.get("SLURM_NTASKS", "1"))
    if tasks > 1 and {"SLURM_PROCID", "SLURM_STEP_NODELIST"} <= environment.keys():
        return "slurm"
    if int(environment.get("OMPI_COMM_WORLD_SIZE", "1")) > 1:
        return "openmpi"
    hosts = environment.get("TPU_PROCESS_ADDRESSES", environment.get("TPU_WORKER_HOSTNAMES", ""))
    if "," in hosts or "MEGASCALE_COORDINATOR_ADDRESS" in environment:
        return "tpu"
    return None


def start_distributed() -> None:
    """Joins the processes of a cluster job into one; a single process is left as it is.

    Call it before anything else touches a device. SLURM, Open MPI and TPU pods are found by
    themselves. Elsewhere set JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES and JAX_PROCESS_ID.

    Raises:
        InputError: a coordinator is named but not how many processes there are and which is this.
    """
    cluster = cluster_of(os.environ)
    if cluster is None or jax.distributed.is_initialized():
        return
    if cluster != "coordinator":
        jax.distributed.initialize()
        return
    try:
        count = int(os.environ["JAX_NUM_PROCESSES"])
        index = int(os.environ["JAX_PROCESS_ID"])
    except (KeyError, ValueError) as fault:
        raise InputError(
            "JAX_COORDINATOR_ADDRESS is set; JAX_NUM_PROCESSES and JAX_PROCESS_ID must be whole "
            f"numbers beside it ({fault})"
        ) from None
    jax.distributed.initialize(num_processes=count, process_id=index)
