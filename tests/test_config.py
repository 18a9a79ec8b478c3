from __future__ import annotations

import dataclasses
import json
import re
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import zscape
from zscape.config import (
    CONFIGS,
    SYNONYMS,
    Config,
    DataConfig,
    ModelConfig,
    RunConfig,
    TrainConfig,
    field_type,
)
from zscape.errors import ConfigError, ZscapeError

FIELDS = [(config, field) for config in CONFIGS.values() for field in dataclasses.fields(config)]
OPTIONS = [(config, field) for config, field in FIELDS if field.metadata["is_flag"]]


def kinds(config: type[Config], name: str) -> tuple[type, ...]:
    annotation = field_type(config, name)
    return getattr(annotation, "__args__", None) or (annotation,)


def name_of(value: Any) -> str:
    return value.name if isinstance(value, dataclasses.Field) else getattr(value, "__name__", "")


every_option = pytest.mark.parametrize(("config", "field"), OPTIONS, ids=name_of)


@every_option
def test_bounds_are_where_they_are_declared(config, field):
    step = 1 if int in kinds(config, field.name) else 1e-6
    for edge, outside in (("low", -step), ("high", step)):
        if (bound := field.metadata[edge]) is None:
            continue
        assert getattr(config(**{field.name: bound}), field.name) == bound
        with pytest.raises(ConfigError, match=rf"^{field.name} must be .* in \[.*; got "):
            config(**{field.name: bound + outside})


@every_option
def test_only_the_declared_choices(config, field):
    for choice in field.metadata["choices"]:
        assert getattr(config(**{field.name: choice}), field.name) == choice
    if field.metadata["choices"]:
        with pytest.raises(ConfigError, match=f"^{field.name} must be one of "):
            config(**{field.name: field.metadata["choices"][0].upper()})


@every_option
def test_only_the_declared_type(config, field):
    allowed = kinds(config, field.name)
    wrong = {
        str: 3,
        bool: 1,
        int: 2.5,
        float: "2",
    }[next(kind for kind in (str, bool, float, int) if kind in allowed)]
    for value in (wrong, [wrong], {}):
        with pytest.raises(ConfigError, match=f"^{field.name} must be "):
            config(**{field.name: value})
    if bool not in allowed:
        with pytest.raises(ConfigError, match=f"^{field.name} must be .*; got True"):
            config(**{field.name: True})
    if type(None) in allowed:
        assert getattr(config(**{field.name: None}), field.name) is None
    else:
        with pytest.raises(ConfigError, match=f"^{field.name} must be .*; got None"):
            config(**{field.name: None})


@every_option
def test_help_is_a_sentence(config, field):
    assert field.metadata["help"][0].isupper() or field.metadata["help"].startswith(
        field.metadata["choices"] or ("auto", "32")
    )
    assert field.metadata["help"].endswith(".")


@pytest.mark.parametrize(
    ("config", "option", "value", "message"),
    [
        (ModelConfig, "latent_dim", 0, "latent_dim must be an integer in [1, 4096]; got 0."),
        (ModelConfig, "latent_dim", 4097, "latent_dim must be an integer in [1, 4096]; got 4097."),
        (ModelConfig, "latent_dim", 2.0, "latent_dim must be an integer in [1, 4096]; got 2.0."),
        (ModelConfig, "network", "", "network must be text; got ''."),
        (ModelConfig, "init", "xavier", "init must be one of default, tutorial; got 'xavier'."),
        (DataConfig, "n_train", 0, "n_train must be an integer in [1, inf]; got 0."),
        (DataConfig, "resize", 2000, "resize must be an integer in [4, 1024]; got 2000."),
        (DataConfig, "stratified", "no", "stratified must be true or false; got 'no'."),
        (
            DataConfig,
            "binarize",
            "yes",
            "binarize must be one of none, threshold, dynamic; got 'yes'.",
        ),
        (TrainConfig, "batch_size", 1, "batch_size must be an integer in [2, inf]; got 1."),
        (TrainConfig, "warmup", 1.5, "warmup must be a finite number in [0, 1]; got 1.5."),
        (TrainConfig, "ema", 1.0, "ema must be a finite number in [0, 0.99999]; got 1.0."),
        (TrainConfig, "learning_rate", "fast", "learning_rate must be a number in [0, inf]; "
         "got 'fast'."),
        (TrainConfig, "seed", -1, "seed must be an integer in [0, inf]; got -1."),
        (TrainConfig, "precision", "16", "precision must be one of auto, 32, bf16; got '16'."),
    ],
)  # fmt: skip
def test_messages(config, option, value, message):
    with pytest.raises(ConfigError) as caught:
        config(**{option: value})
    assert str(caught.value) == message
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, ZscapeError)


@pytest.mark.parametrize("option", ["kld_weight", "learning_rate", "clip_norm"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 10**400])
def test_numbers_are_finite(option, value):
    with pytest.raises(ConfigError, match=f"^{option} must be a finite number in "):
        TrainConfig(**{option: value})


def test_integers_serve_where_numbers_are_asked_for():
    assert TrainConfig(kld_weight=0, clip_norm=5).kld_weight == 0


@pytest.mark.parametrize(
    ("config", "option", "value", "kept"),
    [
        (ModelConfig, "latent_dim", np.int64(10), 10),
        (ModelConfig, "latent_dim", np.array([3, 4], np.uint8)[1], 4),
        (ModelConfig, "latent_dim", torch.tensor(7), 7),
        (ModelConfig, "network", np.str_("mlp"), "mlp"),
        (ModelConfig, "image_shape", (np.int32(3), np.int64(16), 20), (3, 16, 20)),
        (TrainConfig, "kld_weight", np.float32(2), 2.0),
        (TrainConfig, "kld_weight", np.array(0.5), 0.5),
        (TrainConfig, "kld_weight", np.int16(2), 2),
        (TrainConfig, "clip_norm", np.float64(1), 1.0),
        (TrainConfig, "tensorboard", np.bool_(False), False),
        (TrainConfig, "early_stopping", np.int64(3), 3),
        (DataConfig, "data", Path("folder") / "x.npz", str(Path("folder/x.npz"))),
    ],
    ids=str,
)
def test_values_of_numpy_and_torch_become_pythons_own(config, option, value, kept):
    made = getattr(config(**{option: value}), option)
    assert made == kept
    assert type(made) is type(kept)
    assert json.loads(json.dumps(config(**{option: value}).to_dict()))[option] == (
        list(kept) if isinstance(kept, tuple) else kept
    )


@pytest.mark.parametrize("value", [np.nan, np.float32("inf"), np.bool_(True), np.array([1.0])])
def test_numpys_values_are_checked_as_pythons(value):
    with pytest.raises(ConfigError, match=r"^kld_weight must be "):
        TrainConfig(kld_weight=value)


def test_the_signature_of_train_has_every_option() -> None:
    from zscape.options import TrainOptions

    flags = {
        field.name: "Any" if field.name in ("network", "likelihood") else field.type
        for _, field in FIELDS
        if field.name != "data" and field.metadata.get("is_flag", True)
    }
    assert types_of(TrainOptions) == flags


def types_of(options: Any) -> dict[str, str]:
    """Of a ``TypedDict``, as they are written."""
    return {name: hint.__forward_arg__ for name, hint in options.__annotations__.items()}


def test_the_signature_of_sweep_has_the_options_of_train() -> None:
    from zscape.options import TrainOptions
    from zscape.sweeping.options import SweepOptions
    from zscape.sweeping.space import ONE_DEVICE, SWEPT_DATA

    fixed = {field.name for config, field in FIELDS if config is DataConfig} - set(SWEPT_DATA)
    assert types_of(SweepOptions) == {
        name: kind if name in fixed else f"Swept[{kind}]"
        for name, kind in types_of(TrainOptions).items() if name not in ONE_DEVICE
    }  # fmt: skip


def test_the_signatures_of_the_explorer_have_the_options_of_a_scene() -> None:
    from zscape.api.pages import SceneOptions, prepare_scene

    source, data, *options = signature(prepare_scene).parameters.values()
    assert (source.name, data.name) == ("source", "data")
    assert types_of(SceneOptions) == {one.name: one.annotation for one in options}


def test_the_signature_of_resume_sweep_has_who_trains() -> None:
    from zscape.sweeping import sweep
    from zscape.sweeping.options import How

    told = signature(sweep).parameters
    assert types_of(How) == {name: told[name].annotation for name in How.__annotations__}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("lr", "learning_rate"), ("beta", "kld_weight"), ("z_dim", "latent_dim"),
        ("bs", "batch_size"), ("n_epochs", "epochs"), ("device", "accelerator"),
        ("patience", "early_stopping"), ("random_state", "seed"), ("Latent_Dim", "latent_dim"),
        ("learning_rte", "learning_rate"), ("likelyhood", "likelihood"), ("binarise", "binarize"),
    ],
)  # fmt: skip
def test_an_option_by_another_name_is_told_its_own(typed, meant):
    (config,) = (config for config, field in FIELDS if field.name == meant)
    for make in (RunConfig.from_options, config, config().replace):
        with pytest.raises(ConfigError, match=rf" no option {typed} \(did you mean {meant}\?\)\.$"):
            make(**{typed: 1})


def test_a_word_like_no_option_is_only_said_not_to_be_one():
    with pytest.raises(ConfigError, match=r"^there is no option qqq\.$"):
        RunConfig.from_options(qqq=1)


def test_synonyms_are_of_options_and_of_one_each():
    names = {field.name for _, field in FIELDS}
    others = [other for group in SYNONYMS.values() for other in group]
    assert set(SYNONYMS) <= names
    assert len(set(others)) == len(others)
    assert not set(others) & names


@pytest.mark.parametrize(
    "shape",
    [
        (), (28, 28), (1, 1, 28, 28), (0, 28, 28), (1, 28, -1), (1, 28.0, 28), (True, 28, 28),
        "abc", None, 28, ("1", "2", "3"),
    ],
)  # fmt: skip
def test_image_shape_is_three_positive_integers(shape):
    with pytest.raises(ConfigError, match=r"^image_shape must be three positive integers .*; got "):
        ModelConfig(image_shape=shape)


@pytest.mark.parametrize("shape", [[3, 16, 20], torch.zeros(3, 16, 20).shape])
def test_image_shape_becomes_a_plain_tuple(shape):
    config = ModelConfig(image_shape=shape)
    assert type(config.image_shape) is tuple
    assert config == ModelConfig(image_shape=(3, 16, 20))
    assert hash(config) == hash(ModelConfig(image_shape=(3, 16, 20)))


def test_configs_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrainConfig().epochs = 3


def test_replace_checks():
    config = TrainConfig(epochs=3)
    assert config.replace(seed=5) == TrainConfig(epochs=3, seed=5)
    assert config == TrainConfig(epochs=3)
    with pytest.raises(ConfigError, match=r"^epochs must be "):
        config.replace(epochs=0)


def test_an_option_of_another_version_is_named_and_kept(caplog):
    config = TrainConfig.from_dict({"epochs": 1, "sam_radius": 0.1, "lookahead": [1]})
    assert "TrainConfig of another version of zscape: lookahead, sam_radius is" in caplog.text
    assert config == TrainConfig(epochs=1)
    for again in (config, config.replace(seed=3), TrainConfig.from_dict(config.to_dict())):
        assert again.to_dict() == TrainConfig(epochs=1, seed=again.seed).to_dict() | {
            "sam_radius": 0.1, "lookahead": [1],
        }  # fmt: skip
    assert not TrainConfig().unknown
    with pytest.raises(ConfigError, match=r"^epochs must be "):
        TrainConfig.from_dict({"epochs": 0})


def values_of(config: type[Config], field: dataclasses.Field[Any]) -> st.SearchStrategy[Any]:
    """Any value the option may have."""
    allowed = kinds(config, field.name)
    low, high = field.metadata["low"], field.metadata["high"]
    if not field.metadata["is_flag"]:
        if field.name == "condition_names":
            return st.lists(st.text(min_size=1), unique=True).map(tuple)
        return st.tuples(*[st.integers(1, 99)] * 3)
    if field.metadata["choices"]:
        values: st.SearchStrategy[Any] = st.sampled_from(field.metadata["choices"])
    elif float in allowed:
        values = st.floats(low, high, allow_nan=False, allow_infinity=False)
    elif int in allowed:
        values = st.integers(low, high)
    else:
        values = st.booleans() if bool in allowed else st.text(min_size=1)
    return st.none() | values if type(None) in allowed else values


any_options = st.fixed_dictionaries(
    {}, optional={field.name: values_of(config, field) for config, field in FIELDS}
)


def test_an_option_without_the_one_it_goes_with_is_refused_before_training(tmp_path):
    for options, message in (
        ({"fit": "pad"}, "fit goes with resize"),
        ({"stratified": True}, "stratified goes with n_train or n_test"),
        ({"schedule": "constant", "warmup": 0.3}, "warmup is of the cosine schedule"),
    ):
        with pytest.raises(ConfigError, match=message):
            zscape.train("mnist", out=tmp_path / "run", **options)
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=50)
@given(options=any_options)
def test_json_round_trip(options):
    config = RunConfig.from_options(**options)
    stored = json.loads(json.dumps({"version": "9.9", **config.to_dict()}))
    assert RunConfig.from_dict(stored) == config
    for part in config:
        for field in dataclasses.fields(part):
            assert getattr(part, field.name) == options.get(field.name, field.default)


def test_option_names_belong_to_one_config():
    names = [field.name for _, field in FIELDS]
    assert len(names) == len(set(names))


def test_from_options_names_what_it_does_not_know():
    said = "there is no option beta (did you mean kld_weight?), epoch (did you mean epochs?)."
    with pytest.raises(ConfigError, match=f"^{re.escape(said)}$"):
        RunConfig.from_options(epoch=1, beta=2)


def test_run_config_without_options_is_all_defaults():
    assert RunConfig.from_options() == RunConfig(DataConfig(), ModelConfig(), TrainConfig())
    assert RunConfig._fields == tuple(CONFIGS)
