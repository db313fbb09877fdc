import types

import jax

from ecgmae_jax.models import compute


def _stand_in(monkeypatch, platform):
    device = types.SimpleNamespace(platform=platform, device_kind="a device")
    monkeypatch.setattr(compute.jax, "devices", lambda: [device])


def test_other_devices_than_gpus_have_no_fused_attention():
    kind = jax.devices()[0].device_kind
    reason = compute.cudnn_fault(dtype="bfloat16")
    assert reason == f"it needs an NVIDIA GPU, this device is {kind}"


def test_fused_attention_is_for_bfloat16(monkeypatch):
    _stand_in(monkeypatch, "gpu")
    assert compute.cudnn_fault(dtype="float32") == "it needs bfloat16, dtype is float32"


def test_what_cudnn_says_is_the_reason(monkeypatch):
    _stand_in(monkeypatch, "gpu")
    # This process has no GPU, so the attempt to compile fails as it does without cuDNN.
    reason = compute.cudnn_fault(dtype="bfloat16")
    assert reason and "\n" not in reason


def test_where_it_compiles_nothing_is_wrong(monkeypatch):
    _stand_in(monkeypatch, "gpu")
    attention = jax.nn.dot_product_attention
    asked = []

    def attend(*tokens, implementation):
        asked.append(implementation)
        return attention(*tokens, implementation="xla")

    monkeypatch.setattr(compute.jax.nn, "dot_product_attention", attend)
    assert compute.cudnn_fault(dtype="bfloat16") is None
    assert asked == ["cudnn"]
