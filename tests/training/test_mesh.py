import re

import jax
import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.training import mesh


def test_all_devices_that_fsdp_leaves_go_to_data():
    grid = mesh.make_mesh(data=-1, fsdp=2)
    assert dict(grid.shape) == {"data": 4, "fsdp": 2}
    assert set(grid.devices.flat) == set(jax.devices())
    assert all(kind == jax.sharding.AxisType.Auto for kind in grid.axis_types)


def test_a_grid_over_some_devices():
    assert mesh.make_mesh(data=1, fsdp=2, devices=jax.devices()[:2]).size == 2


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"data": -1, "fsdp": 3}, "data=2 times fsdp=3 covers 6 devices but there are 8"),
        ({"data": 2, "fsdp": 2}, "data=2 times fsdp=2 covers 4 devices but there are 8"),
        ({"data": -1, "fsdp": 16}, "data=0 times fsdp=16 covers 0 devices but there are 8"),
        ({"data": 0, "fsdp": 1}, "mesh data=0, fsdp=1: sizes are positive"),
        ({"data": 8, "fsdp": -1}, "mesh data=8, fsdp=-1: sizes are positive"),
    ],
)
def test_a_grid_of_another_size_is_refused_with_both_numbers(sizes, message):
    with pytest.raises(InputError, match=re.escape(message)):
        mesh.make_mesh(**sizes)


SRUN = {"SLURM_PROCID": "0", "SLURM_STEP_NODELIST": "n[1-4]"}


@pytest.mark.parametrize(
    ("environment", "cluster"),
    [
        ({}, None),
        ({"SLURM_NTASKS": "4"}, None),  # a shell inside an allocation
        ({"SLURM_NTASKS": "1", **SRUN}, None),
        ({"SLURM_NTASKS": "4", **SRUN}, "slurm"),
        ({"OMPI_COMM_WORLD_SIZE": "1"}, None),
        ({"OMPI_COMM_WORLD_SIZE": "2"}, "openmpi"),
        ({"TPU_WORKER_HOSTNAMES": "localhost"}, None),
        ({"TPU_WORKER_HOSTNAMES": "a,b"}, "tpu"),
        ({"TPU_PROCESS_ADDRESSES": "a:1,b:1"}, "tpu"),
        ({"MEGASCALE_COORDINATOR_ADDRESS": "a"}, "tpu"),
        ({"JAX_COORDINATOR_ADDRESS": "a:1", "SLURM_NTASKS": "1"}, "coordinator"),
    ],
)
def test_the_cluster_is_read_from_the_environment(environment, cluster):
    assert mesh.cluster_of(environment) == cluster


def test_a_single_process_is_left_alone(monkeypatch):
    for name in ("JAX_COORDINATOR_ADDRESS", "SLURM_NTASKS", "OMPI_COMM_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    mesh.start_distributed()
    assert not jax.distributed.is_initialized()


def test_a_coordinator_without_a_process_number_is_refused(monkeypatch):
    monkeypatch.setenv("JAX_COORDINATOR_ADDRESS", "localhost:1234")
    monkeypatch.setenv("JAX_NUM_PROCESSES", "2")
    monkeypatch.delenv("JAX_PROCESS_ID", raising=False)
    with pytest.raises(InputError, match="JAX_PROCESS_ID must be whole"):
        mesh.start_distributed()
