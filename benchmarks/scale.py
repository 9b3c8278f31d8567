"""Measure speed and memory of compressing files that may exceed the memory.

Files of random bfloat16 tensors with the shapes of TinyLlama (22 layers, hidden size 2,048,
intermediate size 5,632, 4 of 32 heads for keys and values, 32,000 words: 1.1 billion weights), and
two smaller ones, are compressed tensor by tensor to 4 bits in groups of 64, without and with global
pruning of half of the weights. For comparison, in the same run: optimum-quanto and torchao quantize
the same tensors one by one, without encoding or writing; copying in memory; reading the file; and
writing to disk.

Each measurement has its own process. The peak is its private memory (RssAnon and RssShmem of
/proc/self/status, sampled every 5 ms). The mapped file is not included: its pages belong to the
page cache. Imports are not timed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import _table
import torch
from safetensors import safe_open
from torch import Tensor

import workbench as wb
from workbench.streaming import safetensors_header
from workbench.streaming.compress import compress_file
from workbench.streaming.decompress import decompress

HIDDEN, INTERMEDIATE, KEYS = 2048, 5632, 256
SIZES = {"0.1": (2, 4000), "0.5": (11, 16000), "1.1": (22, 32000)}
"""Layers and words, by billions of weights."""

DENSE = wb.Recipe(quantize=wb.Quantize(4, granularity="group", group_size=64))
SPARSE = wb.Recipe(wb.Prune(0.5), DENSE.quantize)
PIECE = 2**24
MAX_PEAK = 1e9  # bytes
STATUS = Path("/proc/self/status")


def main() -> None:
    """Make the files, run all measurements on each, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--folder", type=Path, help="where to write the files: 5 GB")
    parser.add_argument("--do", nargs=2, metavar=("TASK", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.do:
        task, path = options.do
        if task in LIBRARIES:
            import_module(LIBRARIES[task])
        print(json.dumps(measured(TASKS[task], Path(path))))
        return
    for library in ("optimum", "torchao"):
        if not find_spec(library):
            print(f"{library} is not installed and is skipped.")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        rows = [row for size in options.sizes for row in measure_size(size, Path(folder))]
    columns = ("billions", "task", "seconds", "MB/s", "CPU s", "peak MB", "file MB")
    print(_table.table(columns, rows), _table.machine(), sep="\n\n")


def measure_size(size: str, folder: Path) -> Iterator[tuple[str, ...]]:
    """Yield a row for each task."""
    path = folder / "big.safetensors"
    make(path, *SIZES[size])
    size_bytes = path.stat().st_size
    for task in TASKS:
        if task in LIBRARIES and not find_spec(LIBRARIES[task].partition(".")[0]):
            continue
        command = [sys.executable, __file__, "--do", task, str(path)]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        result = json.loads(output.splitlines()[-1])
        assert result["peak"] < MAX_PEAK or task in LIBRARIES, task
        yield (
            size,
            task,
            f"{result['seconds']:.2f}",
            f"{size_bytes / result['seconds'] / 1e6:,.0f}",
            f"{result['cpu']:.2f}",
            f"{result['peak'] / 1e6:,.0f}",
            f"{result['bytes'] / 1e6:,.0f}" if result["bytes"] else "",
        )
    path.unlink()


def make(path: Path, layers: int, words: int) -> None:
    """Write a file of random tensors, piece by piece."""
    shapes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (words, HIDDEN),
        "lm_head.weight": (words, HIDDEN),
        "model.norm.weight": (HIDDEN,),
    }
    for layer in range(layers):
        for name, shape in {
            "self_attn.q_proj": (HIDDEN, HIDDEN),
            "self_attn.k_proj": (KEYS, HIDDEN),
            "self_attn.v_proj": (KEYS, HIDDEN),
            "self_attn.o_proj": (HIDDEN, HIDDEN),
            "mlp.gate_proj": (INTERMEDIATE, HIDDEN),
            "mlp.up_proj": (INTERMEDIATE, HIDDEN),
            "mlp.down_proj": (HIDDEN, INTERMEDIATE),
            "input_layernorm": (HIDDEN,),
            "post_attention_layernorm": (HIDDEN,),
        }.items():
            shapes[f"model.layers.{layer}.{name}.weight"] = shape
    sizes = {name: ("BF16", shape, 2 * torch.Size(shape).numel()) for name, shape in shapes.items()}
    generator = torch.Generator().manual_seed(0)
    with path.open("wb") as stream:
        stream.write(safetensors_header.encode(sizes, {}))
        for shape in shapes.values():
            for piece in torch.empty(shape, device="meta").flatten().split(PIECE):
                values = torch.randn(piece.shape, generator=generator).mul_(0.02).bfloat16()
                stream.write(values.view(torch.uint8).numpy().data)


def measured(task: Callable[[Path], int], path: Path) -> dict[str, float]:
    """Return the elapsed and CPU seconds of a task, its peak memory and its file size in bytes."""
    peak, finished = 0, threading.Event()

    def sample() -> None:
        nonlocal peak
        while not finished.wait(0.005):
            peak = max(peak, private_memory())

    sampler = threading.Thread(target=sample)
    sampler.start()
    start, cpu_start = time.perf_counter(), time.process_time()
    size = task(path)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu_start
    finished.set()
    sampler.join()
    return {"seconds": seconds, "cpu": cpu, "peak": peak, "bytes": size}


def private_memory() -> int:
    """Return this process's private memory in bytes, without the page cache."""
    lines = STATUS.read_text(encoding="ascii").splitlines() if STATUS.exists() else []
    fields = dict(line.split(":", 1) for line in lines)
    return sum(1024 * int(fields[key].split()[0]) for key in ("RssAnon", "RssShmem") if fields)


def compression(recipe: wb.Recipe) -> Callable[[Path], int]:
    """Return the task that compresses a file by `recipe`."""
    return lambda path: compress_file(path, recipe, path.with_name("small.safetensors")).size


def decompression(path: Path) -> int:
    """Decompress the file that was compressed last."""
    output = decompress(
        path.with_name("small.safetensors"), path.with_name("decompressed.safetensors")
    )
    size = output.stat().st_size
    output.unlink()
    return size


def matrices(path: Path) -> Iterator[Tensor]:
    """Yield the tensors that are quantized."""
    with safe_open(path, "pt") as stream:
        for name in stream.offset_keys():
            tensor = stream.get_tensor(name)
            if tensor.ndim == 2:
                yield tensor


def quanto(path: Path) -> int:
    """Quantize with optimum-quanto."""
    library = import_module("optimum.quanto")
    for tensor in matrices(path):
        scale, shift = library.MaxOptimizer()(tensor, qtype=library.qint4, axis=0, group_size=64)
        library.quantize_weight(tensor, library.qint4, 0, scale, shift, 64)
    return 0


def torchao(path: Path) -> int:
    """Quantize with torchao's weight-only config for any integer width."""
    library = import_module("torchao.quantization")
    config = library.IntxWeightOnlyConfig(torch.int4, library.PerGroup(64))
    for tensor in matrices(path):
        layer = torch.nn.Linear(*tensor.shape[::-1], bias=False, device="meta")
        layer.weight = torch.nn.Parameter(tensor, requires_grad=False)
        library.quantize_(torch.nn.Sequential(layer), config)
    return 0


def copy(path: Path) -> int:
    """Copy the same number of bytes in memory."""
    piece = torch.zeros(2**27, dtype=torch.uint8)
    other = torch.empty_like(piece)
    for _ in range(0, path.stat().st_size, piece.numel()):
        other.copy_(piece)
    return 0


def read(path: Path) -> int:
    """Read the file, from the page cache if it fits."""
    with path.open("rb") as stream:
        while stream.read(PIECE):
            pass
    return 0


def write(path: Path) -> int:
    """Write the same number of bytes to disk and sync."""
    other, piece = path.with_name("other"), os.urandom(PIECE)
    with other.open("wb") as stream:
        for _ in range(0, path.stat().st_size, PIECE):
            stream.write(piece)
        stream.flush()
        os.fsync(stream.fileno())
    other.unlink()
    return 0


LIBRARIES = {"optimum-quanto, 4 bits": "optimum.quanto", "torchao, 4 bits": "torchao.quantization"}
TASKS: dict[str, Callable[[Path], int]] = {
    "copy in memory": copy,
    "read": read,
    "write to disk": write,
    "optimum-quanto, 4 bits": quanto,
    "torchao, 4 bits": torchao,
    "4 bits": compression(DENSE),
    "half pruned, 4 bits": compression(SPARSE),
    "decompress that": decompression,
}

if __name__ == "__main__":
    main()
