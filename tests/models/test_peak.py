import types

import pytest

from ecgmae_jax.models import peak


@pytest.mark.parametrize(
    ("kind", "rate"),
    [
        ("NVIDIA H200", 989e12),
        ("NVIDIA H100 80GB HBM3", 989e12),
        ("NVIDIA H100 PCIe", 756e12),
        ("NVIDIA A100-SXM4-40GB", 312e12),
        ("NVIDIA L40S", 362e12),
        ("TPU v5 lite", 197e12),
        ("TPU v5p", 459e12),
    ],
)
def test_bfloat16_peaks_are_those_of_the_data_sheets(kind, rate):
    found = peak.bfloat16_peak(kind)
    assert found is not None and found.flops_per_second == rate
    assert found.source.startswith("data sheet of ")


def test_of_other_devices_nothing_is_known():
    assert peak.bfloat16_peak("Tesla V100-SXM2-16GB") is None


def test_elsewhere_a_product_is_timed_in_the_type_of_the_model(monkeypatch):
    monkeypatch.setattr(peak, "_CPU_SIZE", 16)
    found = peak.device_peak("float32")
    assert found.source == "measured, a float32 product of 16x16 matrices"
    assert found.flops_per_second > 0


def test_the_rate_counts_two_operations_for_each_multiply_add(monkeypatch):
    clock = iter([0.0, 2.0, 10.0, 14.0])  # two rounds, of 2 and of 4 seconds
    monkeypatch.setattr(peak, "time", types.SimpleNamespace(perf_counter=lambda: next(clock)))
    assert peak.matmul_rate("float32", size=10, rounds=2) == 2 * 10**3 / 2.0
