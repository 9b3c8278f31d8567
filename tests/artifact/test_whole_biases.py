"""Biases that the module spec rounds, in the independent reader."""

from __future__ import annotations

import numpy as np
import torch

import workbench as wb


def test_the_independent_reader_computes_the_same_biases(reader):
    recipe = wb.Recipe(wb.Prune(0.9), wb.Quantize(8), wb.Activations(8, biases="int32"))
    file = wb.compress(wb.model("vowels/cnn"), recipe)
    blob = file.to_bytes()
    tensors, header = reader.read(blob)
    rounded = reader.biases(tensors, header, blob)
    assert set(rounded) == set(file.spec.biases) == {"convs.0", "convs.1", "convs.2", "fc"}
    module = wb.to_module(file)
    for path, (whole, unit) in rounded.items():
        layer = module.get_submodule(path)
        zeros = torch.zeros(2, layer.weight.shape[1], *(9,) * (layer.weight.ndim - 2))
        with torch.no_grad():
            outputs = layer.double()(zeros.double()).movedim(1, -1).reshape(-1, len(whole))
        np.testing.assert_allclose(outputs[0], whole * unit, rtol=1e-12)
