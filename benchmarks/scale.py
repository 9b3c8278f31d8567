"""How fast, and in how little memory, a file is compressed that need not fit into it.

Files of random bfloat16 tensors in the shapes of TinyLlama (22 layers, hidden 2,048, intermediate
5,632, 4 heads of 32 for keys and values, 32,000 words: 1.1 billion weights), and two smaller ones,
are compressed tensor by tensor to 4 bits in groups of 64, without and with half of all weights
pruned by one threshold. Beside that, in the same run: what optimum-quanto and torchao take to
quantize the same tensors, one after the other, without coding or writing anything; copying in
memory; reading the file; and writing to the disk.

Each is done by a process of its own. Its peak is the memory that only it has (RssAnon and RssShmem
of /proc/self/status, looked at every 5 ms): the file itself is mapped, and what of it lies in
memory is the page cache's, which the system takes back when it likes. Imports are not timed.
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
AT_ONCE = 2**24
PEAK = 1e9
STATUS = Path("/proc/self/status")


def main() -> None:
    """Make the files, run everything on each in turn, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--folder", type=Path, help="where the files are made: 5 GB")
    parser.add_argument("--do", nargs=2, metavar=("WHAT", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.do:
        what, path = options.do
        if what in RIVALS:
            import_module(RIVALS[what])
        print(json.dumps(measured(WAYS[what], Path(path))))
        return
    for rival in ("optimum", "torchao"):
        if not find_spec(rival):
            print(f"{rival} cannot be imported here, so it is left out.")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        rows = [row for size in options.sizes for row in of_size(size, Path(folder))]
    columns = ("billions", "what", "seconds", "MB/s", "processor s", "peak MB", "file MB")
    print(_table.table(columns, rows), _table.machine(), sep="\n\n")


def of_size(size: str, folder: Path) -> Iterator[tuple[str, ...]]:
    """Yield a row for each way."""
    path = folder / "big.safetensors"
    make(path, *SIZES[size])
    whole = path.stat().st_size
    for what in WAYS:
        if what in RIVALS and not find_spec(RIVALS[what].partition(".")[0]):
            continue
        command = [sys.executable, __file__, "--do", what, str(path)]
        answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found = json.loads(answer.splitlines()[-1])
        assert found["peak"] < PEAK or what in RIVALS, what
        yield (
            size,
            what,
            f"{found['seconds']:.2f}",
            f"{whole / found['seconds'] / 1e6:,.0f}",
            f"{found['processor']:.2f}",
            f"{found['peak'] / 1e6:,.0f}",
            f"{found['bytes'] / 1e6:,.0f}" if found["bytes"] else "",
        )
    path.unlink()


def make(path: Path, layers: int, words: int) -> None:
    """Write a file of random tensors, a piece at a time."""
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
        stream.write(safetensors_header.encode(sizes))
        for shape in shapes.values():
            for piece in torch.empty(shape, device="meta").flatten().split(AT_ONCE):
                values = torch.randn(piece.shape, generator=generator).mul_(0.02).bfloat16()
                stream.write(values.view(torch.uint8).numpy().data)


def measured(way: Callable[[Path], int], path: Path) -> dict[str, float]:
    """Return the seconds of wall clock and processor that a way takes, its peak, and its bytes."""
    peak, done = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.005):
            peak = max(peak, own_memory())

    watching = threading.Thread(target=watch)
    watching.start()
    begin, processor = time.perf_counter(), time.process_time()
    written = way(path)
    seconds, processor = time.perf_counter() - begin, time.process_time() - processor
    done.set()
    watching.join()
    return {"seconds": seconds, "processor": processor, "peak": peak, "bytes": written}


def own_memory() -> int:
    """Return the bytes of memory that are this process's own, without the page cache."""
    lines = STATUS.read_text(encoding="ascii").splitlines() if STATUS.exists() else []
    fields = dict(line.split(":", 1) for line in lines)
    return sum(1024 * int(fields[key].split()[0]) for key in ("RssAnon", "RssShmem") if fields)


def ours(recipe: wb.Recipe) -> Callable[[Path], int]:
    """Return the way that compresses by `recipe` into a file."""
    return lambda path: compress_file(path, recipe, path.with_name("small.safetensors")).size


def back(path: Path) -> int:
    """Expand the file that was compressed last."""
    again = decompress(path.with_name("small.safetensors"), path.with_name("again.safetensors"))
    size = again.stat().st_size
    again.unlink()
    return size


def matrices(path: Path) -> Iterator[Tensor]:
    """Yield the tensors that are quantized."""
    with safe_open(path, "pt") as stream:
        for name in stream.offset_keys():
            tensor = stream.get_tensor(name)
            if tensor.ndim == 2:
                yield tensor


def quanto(path: Path) -> int:
    """Quantize as optimum-quanto does."""
    rival = import_module("optimum.quanto")
    for tensor in matrices(path):
        scale, shift = rival.MaxOptimizer()(tensor, qtype=rival.qint4, axis=0, group_size=64)
        rival.quantize_weight(tensor, rival.qint4, 0, scale, shift, 64)
    return 0


def torchao(path: Path) -> int:
    """Quantize as torchao does for weights of any integer width."""
    rival = import_module("torchao.quantization")
    config = rival.IntxWeightOnlyConfig(torch.int4, rival.PerGroup(64))
    for tensor in matrices(path):
        layer = torch.nn.Linear(*tensor.shape[::-1], bias=False, device="meta")
        layer.weight = torch.nn.Parameter(tensor, requires_grad=False)
        rival.quantize_(torch.nn.Sequential(layer), config)
    return 0


def copied(path: Path) -> int:
    """Copy as many bytes in memory."""
    piece = torch.zeros(2**27, dtype=torch.uint8)
    other = torch.empty_like(piece)
    for _ in range(0, path.stat().st_size, piece.numel()):
        other.copy_(piece)
    return 0


def read(path: Path) -> int:
    """Read the file, which lies in the page cache where there is room for it."""
    with path.open("rb") as stream:
        while stream.read(AT_ONCE):
            pass
    return 0


def written(path: Path) -> int:
    """Write as many bytes until they are on the disk."""
    other, piece = path.with_name("other"), os.urandom(AT_ONCE)
    with other.open("wb") as stream:
        for _ in range(0, path.stat().st_size, AT_ONCE):
            stream.write(piece)
        stream.flush()
        os.fsync(stream.fileno())
    other.unlink()
    return 0


RIVALS = {"optimum-quanto, 4 bits": "optimum.quanto", "torchao, 4 bits": "torchao.quantization"}
WAYS: dict[str, Callable[[Path], int]] = {
    "copy in memory": copied,
    "read": read,
    "write to the disk": written,
    "optimum-quanto, 4 bits": quanto,
    "torchao, 4 bits": torchao,
    "4 bits": ours(DENSE),
    "half pruned, 4 bits": ours(SPARSE),
    "expand that": back,
}

if __name__ == "__main__":
    main()
