"""Layers of other quantizers are recognized, and nothing else is."""

from __future__ import annotations

import pytest
import torch

from workbench.compression.quantized_layers import quantized_layers
from workbench.compression.roles import compressible

U8, I8, I32, F32, F8 = (
    torch.uint8,
    torch.int8,
    torch.int32,
    torch.float32,
    torch.float8_e4m3fn,
)
LAYER = "model.layers.0.mlp.up_proj"
FORMATS = {
    "GPTQ": (
        "GPTQ",
        {
            "qweight": (I32, 8, 64),
            "qzeros": (I32, 1, 8),
            "scales": (F32, 1, 64),
            "g_idx": (I32, 64),
        },
    ),
    "AWQ": (
        "AWQ",
        {"qweight": (I32, 64, 8), "qzeros": (I32, 1, 8), "scales": (F32, 1, 64), "bias": (F32, 8)},
    ),
    "nf4": (
        "bitsandbytes",
        {
            "weight": (U8, 2048, 1),
            "weight.absmax": (F32, 64),
            "weight.quant_map": (F32, 16),
            "weight.quant_state.bitsandbytes__nf4": (U8, 80),
        },
    ),
    "int8 of bitsandbytes": ("bitsandbytes", {"weight": (I8, 64, 64), "SCB": (F32, 64, 1)}),
    "8-bit floats": ("8-bit floats", {"weight": (F8, 64, 64), "weight_scale_inv": (F32, 2, 2)}),
    "rows": ("integers", {"weight": (I8, 64, 64), "weight_scale": (F32, 64, 1)}),
    "a scale of the layer": ("integers", {"weight": (I8, 64, 64), "scale": (F32, 64, 1)}),
    "packed": (
        "compressed-tensors",
        {"weight_packed": (I32, 64, 8), "weight_scale": (F32, 64, 1), "weight_shape": (I32, 2)},
    ),
    "blocks": (
        "integers",
        {"up_blocks": (U8, 4, 8, 16), "up_scales": (U8, 4, 8), "up_bias": (F32, 4, 8)},
    ),
    "HQQ": ("HQQ", {"W_q": (U8, 32, 64), "scale": (F32, 64, 1), "zero": (F32, 64, 1)}),
    "AQLM": (
        "AQLM",
        {"codes": (I8, 8, 8, 1), "codebooks": (F32, 1, 256, 1, 8), "scales": (F32, 8, 1)},
    ),
    "quanto": ("integers", {"weight._data": (I8, 64, 64), "weight._scale": (F32, 64, 1)}),
    "MLX": (
        "integers",
        {"weight": (torch.uint32, 64, 8), "scales": (F32, 64, 1), "biases": (F32, 64, 1)},
    ),
}


def empty(layer, parts):
    prefix = f"{layer}." if layer else ""
    return {
        f"{prefix}{part}": torch.empty(shape, dtype=dtype, device="meta")
        for part, (dtype, *shape) in parts.items()
    }


@pytest.mark.parametrize("name", FORMATS)
def test_formats(name) -> None:
    title, parts = FORMATS[name]
    layer = empty(LAYER, parts)
    others = empty("norm", {"weight": (F32, 8)}) | empty("head", {"weight": (F32, 8, 8)})
    recognized = quantized_layers(layer | others)
    assert recognized.keys() == layer.keys()
    assert all(title in text for text in recognized.values())
    assert compressible(layer | others) == ("head.weight",)


def test_adapters_of_a_quantized_layer_are_compressed() -> None:
    parts = {"weight": (U8, 128, 1), "weight.absmax": (F32, 4), "lora_A.weight": (F32, 8, 64)}
    assert compressible(empty(LAYER, parts)) == (f"{LAYER}.lora_A.weight",)


ORDINARY = {
    "positions next to a scale": {
        "relative_position_index": (torch.int64, 49, 49),
        "logit_scale": (F32, 3, 1, 1),
    },
    "a mask": {"mask": (torch.bool, 4, 4), "scale": (F32, 4, 4)},
    "a counter": {"steps": (I32,), "scale": (F32, 4, 4)},
    "only floats": {"weight": (F32, 4, 4), "scales": (F32, 4, 4)},
    "ids and a bias": {"ids": (I32, 4), "bias": (F32, 4, 4)},
}


@pytest.mark.parametrize("name", ORDINARY)
def test_other_layers_are_compressed(name) -> None:
    tensors = empty(LAYER, ORDINARY[name])
    assert quantized_layers(tensors) == {}
    assert len(compressible(tensors)) == sum(
        tensor.is_floating_point() and tensor.ndim >= 2 for tensor in tensors.values()
    )


def test_tensors_without_a_module_belong_together_by_name() -> None:
    tensors = empty(
        "", {"w_q": (I8, 4, 4), "w_scale": (F32, 4, 1), "v": (F32, 4, 4), "ids": (I32, 4)}
    )
    tensors |= empty("", {"scale": (F32, 4, 4)})
    assert quantized_layers(tensors).keys() == {"w_q", "w_scale"}
