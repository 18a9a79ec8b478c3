"""Every section on models small and odd: what it says is true of the model, and it never breaks."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure

from zscape import report
from zscape.config import RunConfig
from zscape.data import Splits
from zscape.data.columns import Columns
from zscape.errors import DataError
from zscape.evaluation import probe
from zscape.latents import as_vectors, encode
from zscape.model import ACTIVE_KL, mean_elbo
from zscape.report import (
    Code,
    Details,
    Plate,
    Row,
    Scores,
    Table,
    making,
    maps,
    opening,
    probes,
    write_page,
)
from zscape.report import write as rooms
from zscape.report.material import MOST_CLASSES, MOST_NEURONS, Material

HISTORY = [
    {"epoch": i, "running": {"loss": 400 / i, "reconstruction": 390 / i, "kl": 10 / i},
     "evaluated_train": {"loss": 90 / i, "reconstruction": 80 / i, "kl": 10 / i, "n_images": 48},
     "test": {"loss": 100 / i, "reconstruction": 90 / i, "kl": 10 / i}}
    for i in range(1, 7)
]  # fmt: skip


def flat(blocks):
    for block in blocks:
        yield block
        if isinstance(block, Details):
            yield from flat(block.blocks)
        if isinstance(block, Row):
            yield from block.plates


def texts(section):
    """All that a section says."""
    found = []
    for block in flat(section.blocks):
        if isinstance(block, str):
            found.append(block)
        elif isinstance(block, (Plate, Table)):
            found.append(block.caption)
        elif isinstance(block, Details):
            found.append(block.summary)
    return "\n".join(found)


def draw(subject, *names):
    """Some sections by name, or all."""
    material = Material(subject)
    sections = {name: rooms.SECTIONS[name](material) for name in names or rooms.SECTIONS}
    return {name: section for name, section in sections.items() if section is not None}


@pytest.fixture
def without_learning(monkeypatch):
    """The way back that trains a network for seconds is left to one test."""
    monkeypatch.setattr(maps, "WAYS", ("nearest", "local"))


FEW = {
    "one neuron, colour, no labels": {"latent_dim": 1, "shape": (3, 9, 14), "n_classes": None},
    "convolutions of four images": {"n": 4, "network": "enhanced", "shape": (1, 16, 16)},
}
MORE = {
    "colour without labels": {"shape": (3, 9, 14), "n_classes": None},
    "one neuron": {"latent_dim": 1},
    "four images": {"n": 4},
    "convolutions": {"network": "enhanced", "shape": (1, 16, 16)},
    "labelled": {},
    "collapsed": {"is_alive": False},
    "one neuron without labels": {"latent_dim": 1, "n_classes": None},
    "two neurons": {"latent_dim": 2},
    "more neurons than images": {"latent_dim": 64, "n": 40},
    "one class": {"n_classes": 1},
    "a class per image": {"n_classes": 60, "n": 60},
    "many classes": {"n_classes": 40},
    "all maps": {"n": 100},
    "five images without labels": {"n": 5, "n_classes": None},
}


@pytest.mark.parametrize("options", FEW.values(), ids=FEW.keys())
def test_odd_models(make_subject, without_learning, tmp_path, options):
    check(draw(make_subject(**options)), tmp_path / "report.html")


@pytest.mark.slow
@pytest.mark.parametrize("options", MORE.values(), ids=MORE.keys())
def test_more_odd_models(make_subject, tmp_path, options):
    check(draw(make_subject(**options)), tmp_path / "report.html")


def check(sections, path):
    """Something is said everywhere, in whole sentences and without gaps; and it can be drawn."""
    for section in sections.values():
        said = texts(section)
        assert section.blocks, section.title
        assert not re.search(r"\bnan\b|\binf\b|None\b(?! (?:of|is))|\{|\}| ,|  ", said), said
        for block in flat(section.blocks):
            if isinstance(block, Plate):
                assert isinstance(block.figure, Figure)
                assert len(block.caption) > 10
                assert block.caption.rstrip().endswith(".")
    assert write_page(path, "t", sections.values())
    assert path.read_text("utf-8").count("<section") == len(sections)


def test_without_labels_no_class_is_spoken_of(make_subject):
    spoken = ("reconstructions", "pairs", "a line", "what neurons tell", "what neurons do")
    sections = draw(make_subject(n_classes=None), "the data", "prototypes", *spoken)
    assert "no labels" in texts(sections["the data"])
    assert "no two classes" in texts(sections["prototypes"])
    rest = "".join(texts(sections[name]) for name in spoken)
    assert "class" not in rest
    assert not any(isinstance(block, Table) for block in sections["the data"].blocks)


def material_with(subject, columns, logvar=-20.0):
    """Material whose images have columns, made of their latents, which have next to no width."""
    material = Material(subject)
    table = material.table
    known = Columns.of(columns(table.mu))
    # cached_property looks here first.
    material.__dict__["table"] = replace(
        table, columns=known, logvar=np.full_like(table.logvar, logvar)
    )
    return material


def test_what_else_neurons_know(make_subject, tmp_path):
    material = material_with(make_subject(n=80), lambda mu: {
        "area": np.where(np.arange(80) % 8, mu[:, 1], np.nan),
        "kind": np.where(mu[:, 2] > np.median(mu[:, 2]), "far", "near"),
        "luck": np.random.default_rng(0).normal(size=80),
        "note": [f"no {i}" for i in range(80)],
    })  # fmt: skip
    know, cards = (rooms.SECTIONS[name] for name in ("what else neurons know", "neuron cards"))
    section = know(material)
    check({"it": section}, tmp_path / "report.html")
    said = texts(section)
    assert said.startswith("Three things are known of the images that the model was never told: ")
    assert "z1 goes with area: ρ = 1.00 (q < 0.001, 9 tests)." in said
    assert re.search(r"z2 goes with kind: η = 0\.8\d, tells \w+ best, d′ = ", said)
    assert "Left out: note (text)." in said
    assert "Ten images without a value left out." in said
    assert re.search("kind: how far the images of each stand apart", said)
    drawn = cards(material).blocks[1].figure
    facts = [text.get_text() for text in drawn.texts if "nats" in text.get_text()]
    assert "goes with area (ρ 1.00)" in facts[1]
    assert "goes with kind (η 0.8" in facts[2]


def test_where_nothing_is_clear_that_is_said(make_subject):
    luck = np.random.default_rng(0).normal(size=40)
    section = rooms.SECTIONS["what else neurons know"](
        material_with(make_subject(), lambda mu: {"luck": luck})
    )
    assert "One thing is known" in texts(section)
    assert "No neuron clearly goes with a column" in texts(section)
    assert sum(isinstance(block, Plate) for block in flat(section.blocks)) == 1


def test_without_columns_to_compare_there_is_no_section(make_subject):
    names = material_with(make_subject(), lambda mu: {"file_name": [f"{i}.png" for i in range(40)]})
    for material in (Material(make_subject()), names):
        assert rooms.SECTIONS["what else neurons know"](material) is None


def test_one_neuron_has_no_plane(make_subject):
    sections = draw(make_subject(latent_dim=1), "one neuron at a time", "pairs", "maps")
    assert "only one neuron" in texts(sections["one neuron at a time"])
    assert "There is no PCA map: this map needs at least 2 latent neurons" in texts(
        sections["maps"]
    )
    assert "no pairs" in texts(sections["pairs"])


def test_too_few_images_for_a_map(make_subject, without_learning):
    sections = draw(make_subject(n=20), "maps", "the way back")
    said = texts(sections["maps"])
    assert "There is no t-SNE map: this map needs at least 92 points" in said
    assert "too few neighbours" in said
    assert "across the UMAP map" in texts(sections["the way back"])


def test_without_a_history(make_subject):
    subject = make_subject()
    assert "without the history" in texts(draw(subject, "learning")["learning"])
    said = texts(draw(replace(subject, history=HISTORY), "learning")["learning"])
    assert "of six epochs, the test loss went from 100.00 to 16.67" in said
    assert "thick on training images, dashed on test images and thin the running mean" in said
    old = [{key: line[key] for key in ("epoch", "running", "test")} for line in HISTORY]
    said = texts(draw(replace(subject, history=old), "learning")["learning"])
    assert "epoch: dashed on test images and thin the running mean" in said


def test_the_gap_is_between_the_same_weights_in_the_same_mode(make_subject):
    """The history's losses are of other weights; and what a few images more explain is no gap."""
    subject = replace(make_subject(), history=HISTORY)
    said = texts(draw(subject, "learning")["learning"])
    seen, new = (mean_elbo(subject.model, images).loss() for images in subject.data)
    assert f"it pays {seen:.2f} nats on the 80 images it learned from" in said
    assert f"{new:.2f} on test images: no more apart than the choice of images explains" in said
    # Test images that are much harder than those it learned from.
    images = subject.data.test
    harder = replace(images, images=255 - images.images)
    subject = replace(subject, data=Splits(subject.data.train, harder))
    new = mean_elbo(subject.model, harder).loss()
    said = texts(draw(subject, "learning")["learning"])
    assert re.search(rf"{new - seen:,.2f} \(± [\d.]+\) less than on test images", said)
    # Of other images than its own nobody knows.
    said = texts(draw(replace(subject, is_own=False), "learning")["learning"])
    assert "learned from" not in said
    assert "not of those on this page" in said


def test_of_other_images_it_is_not_said_that_they_are_new_to_it(make_subject):
    subject = make_subject()
    sections = draw(subject, "the model", "the data")
    assert "has never seen" in texts(sections["the model"])
    assert "80 images to train on and 40 that the model never saw" in texts(sections["the data"])
    other = replace(subject, is_own=False)
    sections = draw(other, "the model", "the data")
    assert "never s" not in texts(sections["the model"]) + texts(sections["the data"])
    assert "is not known" in texts(sections["the data"])
    (table,) = (block for block in sections["the data"].blocks if isinstance(block, Table))
    assert table.header == ["class", "images"]
    stats = opening.stats(Material(other))
    assert "images trained on" not in dict(stats)
    assert dict(stats)["loss, nats"] == dict(opening.stats(Material(subject)))["test loss, nats"]


def test_only_what_is_a_probability_is_called_a_bound(make_subject):
    subject = make_subject()
    floor = Material(subject).floors.mean()
    said = texts(draw(subject, "the model")["the model"])
    assert f"where drawing the very picture would cost {floor:.2f}" in said
    assert "a bound on" not in said  # the cross-entropy of grey pixels
    train, test = (images.binarized(0.5) for images in subject.data)
    binary = replace(subject, data=Splits(train, test))
    assert "a bound on" in texts(draw(binary, "the model")["the model"])


def test_scores_are_measured_if_unknown(make_subject):
    subject = make_subject()
    found = mean_elbo(subject.model, subject.data.test)
    scores = Material(subject).scores
    assert scores.loss == pytest.approx(found.loss())
    known = Scores(1.0, 2.0, 3.0, "from somewhere")
    assert Material(replace(subject, scores=known)).scores is known
    said = texts(draw(replace(subject, scores=known), "the model")["the model"])
    assert "2.00 for its pixels" in said
    assert "from somewhere" in said


def test_material_is_what_it_says(make_subject):
    material = Material(make_subject(latent_dim=5))
    assert material.kl[material.by_kl[0]] == material.kl.max()
    assert sorted(material.by_kl) == list(range(5))
    assert set(material.used) == set(np.flatnonzero(material.kl > ACTIVE_KL))
    # What the pixels cost, one image at a time.
    vae, table = material.model, material.table
    row = 7
    with torch.no_grad():
        logits = vae.decode_logits(torch.from_numpy(table.mu[[row]]))
        exact = -vae.likelihood.log_prob(material.pictures([row]), logits).sum()
    assert material.costs.total[row] == pytest.approx(float(exact), rel=1e-5)
    gaps = np.linalg.norm(table.mu - table.mu.mean(0), axis=1)
    assert material.middle == gaps.argmin()
    one, other = material.apart
    found = material.prototypes
    widest = max(np.linalg.norm(found[a] - found[b]) for a in found for b in found)
    assert np.linalg.norm(found[one] - found[other]) == pytest.approx(widest)


def test_images_are_ranked_by_what_could_have_been_avoided(make_subject):
    """Of grey pictures the brightest cost most whatever is drawn; the odd ones come first here."""
    subject = make_subject(n=40, n_classes=None)
    pixels = torch.arange(40)[:, None, None, None] + torch.full((40, 1, 12, 10), 80)
    planted = [0, 7, 39]
    pixels[planted, :, 4:6] = 255
    images = replace(subject.data.test, images=pixels.to(torch.uint8))
    with torch.no_grad():  # draws all pictures as the grey in the middle
        for name, parameter in subject.model.named_parameters():
            parameter.zero_() if name.startswith("decoder") else None
    material = Material(replace(subject, data=Splits(subject.data.train, images)))
    section = rooms.SECTIONS["reconstructions"](material)
    worst = next(block for block in section.blocks if isinstance(block, Plate) and
                 block.caption.startswith("Worst"))  # fmt: skip
    first = [worst.figure.axes[2 * i].images[0].get_array() for i in range(3)]
    assert all(np.asarray(picture).max() == 1 for picture in first)
    said = texts(section)
    assert "what a perfect reconstruction would have saved" in said
    assert "depends on how grey it is and not on the model" in said
    # A threshold would make all of these black.
    assert "threshold" not in said
    assert len(worst.figure.axes) == 2 * 10


def test_what_is_shown_is_limited(make_subject):
    subject = make_subject(latent_dim=40, n_classes=30, n=90)
    material = Material(subject)
    assert len(material.classes) == MOST_CLASSES
    assert set(np.unique(material.shown.labels)) == {
        material.table.class_names.index(name) for name in material.classes
    }
    sections = draw(subject, "one neuron at a time", "neuron cards", "prototypes", "neurons in use")
    assert f"the {MOST_NEURONS} of 40 neurons with the largest KL" in texts(
        sections["one neuron at a time"]
    )
    assert f"The {MOST_NEURONS} of 40 neurons" in texts(sections["neuron cards"])
    assert f"{MOST_CLASSES} largest of 30 classes" in texts(sections["prototypes"])
    # Long tables are folded.
    assert not any(isinstance(block, Table) for block in sections["neurons in use"].blocks)


def test_prototypes_can_be_pasted_back(make_subject):
    subject = make_subject()
    (code,) = (
        b for b in flat(draw(subject, "prototypes")["prototypes"].blocks) if isinstance(b, Code)
    )
    names = {}
    exec(code.text, names)
    found = Material(subject).prototypes
    assert list(names["prototypes"]) == list(found)
    for name in found:
        pasted = as_vectors(names["prototypes"][name], 3)[0]
        np.testing.assert_allclose(pasted, found[name], atol=0.005)


def test_an_autoencoder_is_called_one(make_subject):
    settings = RunConfig.from_options(kld_weight=0.0, latent_dim=3)
    sections = draw(make_subject(settings=settings), "the model")
    assert "kld_weight 0, as a plain autoencoder" in texts(sections["the model"])


@pytest.mark.parametrize(
    ("width", "noise", "is_elsewhere"), [(0.3, 0.95, False), (0.3, 0.1, True), (5.0, 0.1, True)]
)
def test_the_prior_is_compared_with_codes_not_with_means(make_subject, width, noise, is_elsewhere):
    """Where the encoder is unsure, means lie close to 0; with its noise, codes are as wide."""
    material = Material(make_subject(n=100))
    mu = width * np.random.default_rng(0).standard_normal((100, 3)).astype(np.float32)
    logvar = np.full_like(mu, 2 * np.log(noise))
    material.table = replace(material.table, mu=mu, logvar=logvar)
    said = texts(rooms.SECTIONS["imagined pictures"](material))
    assert ("not where the model keeps its pictures" in said) == is_elsewhere
    said = texts(rooms.SECTIONS["neurons in use"](material))
    low, high = map(float, re.search(r"from ([\d.]+) to ([\d.]+); the prior's is 1", said).groups())
    assert low <= np.hypot(width, noise) * 1.1
    assert high >= np.hypot(width, noise) * 0.9


def test_dead_neurons_go_together_with_none(make_subject):
    """Their means may follow each other in the fifth decimal; that says nothing."""
    material = Material(make_subject(n=100))
    mu = np.random.default_rng(0).standard_normal((100, 3)).astype(np.float32)
    mu[:, 2] = 1e-5 * mu[:, 0]
    logvar = np.tile(np.float32([-2, -2, 0]), (100, 1))
    material.table = replace(material.table, mu=mu, logvar=logvar)
    for name in ("pairs", "what neurons tell"):
        said = texts(rooms.SECTIONS[name](material))
        assert re.search("most are z0 and z1|z0 and z1 go together most", said), said


def test_command_makes_the_same_settings():
    options = {"latent_dim": 3, "epochs": 2, "stratified": True, "kld_weight": 0.5, "seed": 4}
    settings = RunConfig.from_options(data="some where.npz", **options)
    assert making.command(settings) == (
        "zscape train --data 'some where.npz' --stratified --latent-dim 3 --kld-weight 0.5 "
        "--epochs 2 --seed 4 --out runs/mine"
    )
    assert "array from Python" in making.command(RunConfig.from_options(data=None))


def test_same_subject_is_the_same_page_and_progress_is_told(
    make_subject, without_learning, tmp_path
):
    subject, told = make_subject(n=100, history=HISTORY), []
    subject.model.train()
    before = {name: value.clone() for name, value in subject.model.state_dict().items()}
    pages = [
        report.write_report(
            subject, tmp_path / f"{i}.html", progress=lambda *step: told.append(step)
        )
        for i in range(2)
    ]
    assert pages[0].read_bytes() == pages[1].read_bytes()
    first = told[: len(told) // 2]
    done = [part for _, part in first]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0.0, 1.0)
    assert [stage for stage, _ in first if ":" not in stage] == [*rooms.SECTIONS, "done"]
    assert any(stage.startswith("maps: t-SNE") for stage, _ in first)
    # And the model is left as it was.
    assert subject.model.training
    assert all(torch.equal(before[name], v) for name, v in subject.model.state_dict().items())


def test_too_few_images(make_subject, tmp_path):
    subject = make_subject(n=4)
    few = replace(subject, data=Splits(subject.data.train, subject.data.test[:3]))
    with pytest.raises(DataError, match="at least 4 test images; spots has 3"):
        report.write_report(few, tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


class TestProbes:
    def test_readers_are_those_of_the_library(self, make_subject):
        subject = make_subject(60)
        section = draw(subject, "what the codes know")["what the codes know"]
        tables = [
            encode(subject.model, images) for images in (subject.data.test, subject.data.train)
        ]
        found = probe(*tables, seeds=1)
        (table,) = (block for block in section.blocks if isinstance(block, Table))
        shown = [(row[0], row[3], row[4]) for row in table.rows]
        frame = found.frame[["score", "low", "high"]].map(lambda value: f"{value * 100:.1f} %")
        assert shown == [
            (column, row["score"], f"{row['low']} to {row['high']}")
            for (column, _), row in frame.iterrows()
        ]
        assert found.how[1:] in texts(section)

    def test_images_it_may_have_seen_are_cross_validated(self, make_subject):
        section = draw(make_subject(60, is_own=False), "what the codes know")["what the codes know"]
        assert "Cross-validated on 60" in texts(section)

    def test_of_nothing_known_it_says_so(self, make_subject):
        section = draw(make_subject(n_classes=None), "what the codes know")["what the codes know"]
        assert "have neither labels nor columns" in texts(section)

    @pytest.mark.parametrize(
        ("linear", "near", "said"),
        [((0.7, 0.69, 0.71), (0.9, 0.89, 0.91), "clumps"), ((0.9, 0.89, 0.91), (0.7, 0.6, 0.8),
         "directions"), ((0.7, 0.6, 0.8), (0.75, 0.65, 0.85), "may be chance")],
    )  # fmt: skip
    def test_which_reader_is_ahead(self, linear, near, said):
        index = pd.MultiIndex.from_tuples([("class", "linear"), ("class", "neighbours")])
        frame = pd.DataFrame([linear, near], index, columns=["score", "low", "high"])
        assert said in probes._ahead(frame)


class TestHealth:
    def test_findings_are_those_of_the_doctor(self, make_subject):
        subject = make_subject(is_own=False)
        section = draw(subject, "what is wrong")["what is wrong"]
        found = subject.diagnose()
        said = texts(section)
        assert found.verdict in said
        assert found.told
        for finding in found.told:
            assert str(finding) in said
        for sentence in found.checkup.skipped:
            assert sentence in said
        (table,) = (block for block in flat(section.blocks) if isinstance(block, Table))
        assert [row[0] for row in table.rows] == [one.name for one in found.findings]

    def test_of_few_images_nothing_can_be_said(self, make_subject):
        section = draw(make_subject(8), "what is wrong")["what is wrong"]
        assert texts(section).startswith("The doctor needs at least 20 images")

    def test_a_rising_weight_of_the_kl_is_no_unsteadiness(self, make_subject):
        losses = (90, 900, 80, 70, 60, 50)
        history = [{**line, "evaluated_train": {"loss": loss}}
                   for line, loss in zip(HISTORY, losses, strict=True)]  # fmt: skip
        told = {}
        for warm in (0.0, 2.0):
            settings = RunConfig.from_options(kl_warmup=warm, epochs=7)
            found = make_subject(history=[*history, HISTORY[-1]], settings=settings).diagnose()
            told[warm] = "unsteady training" in [finding.name for finding in found.serious]
        assert told == {0.0: True, 2.0: False}
