"""The vendored data can be rebuilt from the public source."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from tests.raises import raises
from workbench import zoo
from workbench.zoo.fashion import FOLDER
from workbench.zoo.fashion.rebuild import CHECKSUMS, main, read_idx, rebuild

DEBIAN = Path("/usr/share/datasets/fashion-mnist")


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="Debian's dataset-fashion-mnist is not installed")
def test_rebuild_gives_the_vendored_files(tmp_path: Path) -> None:
    digests = rebuild(DEBIAN, tmp_path)
    assert digests == {name: zoo.task("fashion").split(name).digest for name in digests}
    if "ng" in zlib.ZLIB_RUNTIME_VERSION:
        pytest.skip("zlib-ng compresses to other bytes than zlib; the content is equal")
    for name in digests:
        vendored = FOLDER / "data" / f"{name}.npz"
        assert (tmp_path / f"{name}.npz").read_bytes() == vendored.read_bytes()


def test_wrong_file_raises(tmp_path: Path) -> None:
    path = tmp_path / "train-labels-idx1-ubyte.gz"
    path.write_bytes(b"something else")
    with raises("data.source_changed", path.name):
        read_idx(path, CHECKSUMS[path.name])


def test_missing_source_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--source", str(tmp_path), "--output", str(tmp_path)])
    assert capsys.readouterr().err.count("\n") == 1
