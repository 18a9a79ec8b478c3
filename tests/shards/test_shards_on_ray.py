"""Shards on Ray: the same tables in the same folder, whatever becomes of a machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from shard_helpers import numbers_of, tables_of, write_shards

import zscape
from shards import ray_nodes
from shards.small_disk import small_disk
from zscape.cluster import ENVIRONMENT
from zscape.errors import ConfigError


def same(one: Path, other: Path) -> bool:
    files = sorted(file.relative_to(one) for file in one.rglob("*.latents.parquet"))
    others = sorted(file.relative_to(other) for file in other.rglob("*.latents.parquet"))
    return files == others and all(
        (one / file).read_bytes() == (other / file).read_bytes() for file in files
    )


def test_an_address_where_no_ray_answers(tmp_path: Path) -> None:
    write_shards(tmp_path / "shards", 1)
    with pytest.raises(ConfigError, match=r"no Ray answers at 127.0.0.1:6: Connection refused"):
        zscape.encode_shards(
            "zoo:2", tmp_path / "shards", tmp_path / "out", engine="ray", address="127.0.0.1:6"
        )
    assert not tables_of(tmp_path / "out")


def program(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=600,
        env={**os.environ, **ENVIRONMENT, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


@pytest.mark.slow
def test_on_a_ray_of_this_machine_as_without(tmp_path: Path) -> None:
    """Another engine goes on with what one began; what fails is said, and the rest is encoded."""
    shards, out = write_shards(tmp_path / "shards", 9), tmp_path / "out"
    (shards / "broken.tar").write_bytes(b"none")
    done = program(f"""if True:
        import zscape
        from zscape.errors import ConfigError, DataError
        told = ("zoo:2", {str(shards)!r}, {str(out)!r})
        try:
            zscape.encode_shards(*told, engine="ray", gpus_per_worker=1.0)
        except ConfigError as error:
            print(error)
        try:
            zscape.encode_shards(*told, engine="ray")
        except DataError as error:
            print(error)
    """)
    assert done.returncode == 0, done.stderr
    gpu, broken = done.stdout.splitlines()
    assert gpu == "gpus_per_worker is 1, and the cluster has no such GPU."
    assert broken.startswith("1 shard of 10 could not be encoded, the others were:")
    assert "broken.tar" in broken
    (shards / "broken.tar").unlink()
    assert numbers_of(tables_of(out)) == list(range(45))
    zscape.encode_shards("zoo:2", shards, tmp_path / "local")
    assert same(out, tmp_path / "local")
    next(out.glob("*.latents.parquet")).unlink()
    assert zscape.encode_shards("zoo:2", shards, out) == 5


@pytest.mark.slow
def test_a_worker_is_killed_and_its_shard_is_encoded_by_another(tmp_path: Path) -> None:
    shards, out = write_shards(tmp_path / "shards", 40, 60), tmp_path / "out"
    done = program(f"""if True:
        import os, signal, threading, time
        from pathlib import Path
        import zscape

        def workers():
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    if file.read_bytes().startswith(b"ray::MapWorker"):
                        yield int(file.parent.name)
                except OSError:
                    pass

        def kill():
            while len(list(Path({str(out)!r}).rglob("*.latents.parquet"))) < 4:
                time.sleep(0.05)
            os.kill(next(workers()), signal.SIGKILL)
            print("killed", flush=True)

        threading.Thread(target=kill, daemon=True).start()
        print(zscape.encode_shards("zoo:2", {str(shards)!r}, {str(out)!r}, engine="ray"))
    """)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["killed", "2400"]
    assert numbers_of(tables_of(out)) == list(range(2400))


@pytest.mark.slow
def test_a_node_is_killed_and_every_image_is_there_once(tmp_path: Path) -> None:
    shards, out = write_shards(tmp_path / "shards", 90, 60), tmp_path / "out"
    done = subprocess.run(
        [sys.executable, ray_nodes.__file__, shards, out], capture_output=True, text=True,
        env={**os.environ, **ENVIRONMENT, "OMP_NUM_THREADS": "1"}, check=False, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["n"] == 90 * 60
    assert 6 <= told["done_when_killed"][0] < 90
    assert numbers_of(tables_of(out)) == list(range(90 * 60))
    zscape.encode_shards("zoo:2", shards, tmp_path / "local")
    assert same(out, tmp_path / "local")


@pytest.mark.slow
def test_the_command_is_killed_twice_and_comes_to_its_end(tmp_path: Path) -> None:
    shards, out = write_shards(tmp_path / "shards", 60, 60), tmp_path / "out"
    command = [Path(sys.executable).with_name("zscape"), "encode", "zoo:2", "--data", shards, "-o",
               out, "--engine", "ray"]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    for n in (5, 20):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)  # fmt: skip
        deadline = time.monotonic() + 120
        while len(tables_of(out)) < n and time.monotonic() < deadline:
            time.sleep(0.1)
        process.kill()
        process.wait()
        assert n <= len(tables_of(out)) < 60
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert numbers_of(tables_of(out)) == list(range(3600))


@pytest.mark.slow
def test_a_full_disk_is_said_in_one_sentence_and_room_lets_it_go_on(tmp_path: Path) -> None:
    shards = write_shards(tmp_path / "shards", 30, 60)
    with small_disk(tmp_path / "disk", "128k") as resized:
        out = tmp_path / "disk" / "out"
        command = [Path(sys.executable).with_name("zscape"), "encode", "zoo:2", "--data", shards,
                   "-o", out, "--engine", "ray"]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 2, done.stderr
        assert done.stderr.splitlines()[-1].endswith(": No space left on device.")
        assert "Traceback" not in done.stderr
        n = len(tables_of(out))
        assert 0 < n < 30
        resized("64m")
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert f"Encoded {60 * (30 - n)} images" in done.stdout
        assert numbers_of(tables_of(out)) == list(range(1800))
