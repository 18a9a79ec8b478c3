"""Names in files never import code; what a person types, imports or installs does."""

from __future__ import annotations

import subprocess
import sys
import types
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner

import zscape
from zscape import registry
from zscape.cli.app import app
from zscape.embedding import Embedding, fit_map
from zscape.errors import CheckpointError, ConfigError
from zscape.latents import LatentTable
from zscape.model import MLPVAE, VAE, likelihoods, networks
from zscape.registry import Registry

OWN = """
from pathlib import Path
Path(__file__).with_name("was_imported").touch()
from dataclasses import dataclass
from zscape.embedding import PCA
from zscape.model import MLPVAE

class Net(MLPVAE):
    pass

@dataclass(frozen=True)
class Map(PCA):
    pass
"""


@pytest.fixture
def module(tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Name of a module in ``tmp_path`` with a network and a map method; leaves a file if run."""
    name = f"own_{abs(hash(request.node.nodeid))}"
    (tmp_path / f"{name}.py").write_text(OWN)
    return name


@pytest.fixture(autouse=True)
def forgetting() -> object:
    """Whatever a test registers is gone after it."""
    from zscape.embedding import methods

    tables = [
        (table, {name: table[name] for name in table})  # what is built in comes when looked up
        for table in (networks, likelihoods, methods)
    ]
    path = list(sys.path)
    yield
    for table, entries in tables:
        table._table = entries
    assert sys.path == path


class Plain:
    pass


class Sub(Plain):
    pass


@pytest.fixture
def plain() -> Registry[type[Plain]]:
    table: Registry[type[Plain]] = Registry("thing", Plain, option="thing")
    table.register("sub")(Sub)
    return table


def test_a_name_belongs_to_one_class(plain: Registry[type[Plain]]) -> None:
    class Other(Plain):
        pass

    with pytest.raises(ConfigError, match=r"^A thing called sub is registered already\.$"):
        plain.register("sub")(Other)
    assert plain["sub"] is Sub


def test_a_cell_can_be_run_again(plain: Registry[type[Plain]]) -> None:
    cell = "@table.register('mine')\nclass Mine(Plain):\n    version = {}"
    for version in (1, 2):
        exec(cell.format(version), {"table": plain, "Plain": Plain, "__name__": "__main__"})
    assert plain["mine"].version == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["no.such.module:Net", "math:Net", ":", ".math:pi"])
def test_what_cannot_be_imported_is_named(plain: Registry[type[Plain]], name: str) -> None:
    with pytest.raises(ConfigError, match=f"^thing '{name}' cannot be imported: "):
        plain.allow(name)


@pytest.mark.parametrize("name", ["math:pi", "collections:OrderedDict", "torch:zeros"])
def test_what_is_of_another_kind_is_named(plain: Registry[type[Plain]], name: str) -> None:
    with pytest.raises(ConfigError, match=f"^thing '{name}' is not a subclass of Plain"):
        plain.allow(name)
    assert name not in list(plain)


def test_an_entry_is_found_by_its_own_module_and_name(plain: Registry[type[Plain]]) -> None:
    assert plain[f"{__name__}:Sub"] is Sub
    assert plain.allow(Sub) == "sub"
    name = plain.allow(type("Third", (Plain,), {"__module__": "somewhere"}))
    assert name == "somewhere:Third"
    assert plain[name] in plain._table.values()


def saved_model(folder: Path, module: str) -> Path:
    """Weights whose header names the module's network."""
    from zscape.config import ModelConfig
    from zscape.training import save_weights

    config = ModelConfig(latent_dim=2, network=f"{module}:Net", image_shape=(1, 8, 8))
    save_weights(MLPVAE(2, (1, 8, 8)), config, folder / "model.safetensors")
    return folder / "model.safetensors"


def saved_map(folder: Path, module: str) -> Path:
    mu = np.random.default_rng(0).normal(size=(9, 3)).astype(np.float32)
    fitted = fit_map(LatentTable(mu, 0 * mu, None, (), np.arange(9)), "pca")
    object.__setattr__(fitted, "method", f"{module}:Map")
    fitted.save(folder / "map.safetensors")
    return folder / "map.safetensors"


def test_a_file_imports_nothing(
    tmp_path: Path, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)  # even where it could be found
    with pytest.raises(CheckpointError, match=rf"allowed by --network .* got '{module}:Net'"):
        zscape.load(saved_model(tmp_path, module))
    with pytest.raises(ConfigError, match=rf"allowed by --method .* got '{module}:Map'"):
        Embedding.load(saved_map(tmp_path, module))
    assert not (tmp_path / "was_imported").exists()


def test_a_person_allows_it(tmp_path: Path, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = saved_model(tmp_path, module)
    assert type(zscape.load(weights, network=MLPVAE).model) is MLPVAE
    monkeypatch.syspath_prepend(tmp_path)
    opened = zscape.load(weights, network=f"{module}:Net")
    assert type(opened.model).__name__ == "Net"
    drawn = Embedding.load(saved_map(tmp_path, module), method=f"{module}:Map")
    assert type(drawn.settings).__name__ == "Map"
    assert zscape.load(weights).model_config == opened.model_config  # once allowed, it is known


def test_the_working_folder_is_on_the_path_only_meanwhile(
    tmp_path: Path, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    with pytest.raises(ConfigError, match="cannot be imported"):
        networks.allow(f"{module}:Net")
    networks.allow(f"{module}:Net", here=True)
    assert sys.path == before
    assert (tmp_path / "was_imported").exists()


def test_the_command_line_allows_it(tmp_path: Path, module: str) -> None:
    """As installed, in the folder of the module: refused from the file, allowed when typed."""
    saved_model(tmp_path, module)
    program = str(Path(sys.executable).with_name("zscape"))

    def info(*flags: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, "info", "model.safetensors", *flags],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip

    refused = info()
    assert refused.returncode == 2
    assert "allowed by --network module:Class" in refused.stderr
    assert not (tmp_path / "was_imported").exists()
    allowed = info("--network", f"{module}:Net")
    assert allowed.returncode == 0, allowed.stderr
    assert f"{module}:Net" in allowed.stdout


def test_a_class_trains_and_a_run_of_it_is_resumed(tmp_path: Path) -> None:
    class Own(MLPVAE):
        def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
            mu, logvar = super().encode(x)
            return 2 * mu, logvar

    images = np.random.default_rng(0).random((20, 8, 8))
    options = {"latent_dim": 2, "batch_size": 8, "epochs": 1, "progress": "none"}
    trained = zscape.train(images, network=Own, out=tmp_path / "run", **options)
    assert type(trained.model) is Own
    for name in set(networks) - set(registry.BUILT_IN["network"]):
        del networks._table[name]  # as in another program
    with pytest.raises(CheckpointError, match="allowed by --network"):
        zscape.load(tmp_path / "run")
    with pytest.raises(ConfigError, match="allowed by --network"):
        zscape.resume(tmp_path / "run", images, progress="none")
    resumed = zscape.resume(tmp_path / "run", images, network=Own, progress="none")
    assert type(resumed.model) is Own
    opened = zscape.load(tmp_path / "run", network=Own)
    state = trained.model.state_dict()
    assert all(torch.equal(state[name], w) for name, w in opened.model.state_dict().items())


def test_an_installed_plugin_is_loaded_when_a_name_is_missing(
    tmp_path: Path, module: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / f"{module}.py"
    text = file.read_text().replace("class Net", '@register_network("plugged")\nclass Net')
    file.write_text(text.replace("import MLPVAE", "import MLPVAE, register_network"))
    points = [
        EntryPoint("broken", "no_such_module", registry.PLUGINS),
        EntryPoint("fine", module, registry.PLUGINS),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    monkeypatch.syspath_prepend(tmp_path)
    registry.load_plugins.cache_clear()
    found: type[VAE] = networks["plugged"]
    assert found.__module__ == module
    assert "the plugin broken (no_such_module) failed" in caplog.text
    registry.load_plugins.cache_clear()


def test_what_is_built_in_is_what_is_registered() -> None:
    from zscape.embedding import inverses, methods
    from zscape.model import likelihoods

    for table in (networks, likelihoods, methods, inverses):
        known = registry.BUILT_IN[table.kind]
        ours = {name for name, entry in table._table.items() if entry.__module__[:7] == "zscape."}
        assert ours == set(known)
        assert list(table)[: len(known)] == list(known)
        assert {name: table[name].__module__ for name in known} == known


def test_the_kinds_of_files_in_help_texts_are_those_that_are_read() -> None:
    from zscape.config import SOURCES
    from zscape.data.containers import ARRAYS, CONTAINERS
    from zscape.data.kinds import TABLES

    known = set(registry.BUILT_IN["kind of file"])
    groups = {"tables": TABLES, "arrays": ARRAYS}
    assert known == {kind for each in CONTAINERS for kind in groups.get(each.what, (each.what,))}
    for arguments in (["train"], ["explore"], ["data", "info"]):
        text = CliRunner(env={"COLUMNS": "400"}).invoke(app, [*arguments, "--help"]).output
        assert SOURCES in text, arguments


def test_what_is_built_in_is_imported_when_it_is_looked_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "lazy_home.py"
    file.write_text("import tests_lazy\n\n\n@tests_lazy.things.register('one')\nclass One: pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(registry.BUILT_IN, "lazy", {"one": "lazy_home"})
    things: Registry[type] = Registry("lazy", option="lazy")
    holder = types.ModuleType("tests_lazy")
    holder.things = things  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tests_lazy", holder)
    assert list(things) == ["one"]
    assert "lazy_home" not in sys.modules
    assert things["lazy_home:One"] is things["one"]
    del sys.modules["lazy_home"]


def test_a_network_of_ones_own_is_not_taken_for_a_model_of_the_zoo():
    for kind, name in (("network", "mlp"), ("likelihood", "gaussian")):
        with pytest.raises(ConfigError, match=f"it takes no {kind} of your own"):
            zscape.load("zoo:2", **{kind: name})
