"""What the doctor says of the model."""

from __future__ import annotations

from zscape import figures
from zscape.errors import DataError
from zscape.evaluation import Finding
from zscape.evaluation.checks import EXCESS
from zscape.report.material import Material
from zscape.report.page import Block, Details, Heading, Plate, Section, Table
from zscape.report.words import count, listing, percent, sentence

TITLE = "What is wrong with it?"
WIDE = 1.1
"""A neuron's codes are wider than the prior from this standard deviation on, as no one's in the
zoo are."""


def findings(m: Material) -> Section:
    """The findings that need words, and all measures beside what is normal."""
    try:
        found = m.diagnosis
    except DataError as error:
        return Section(TITLE, [sentence(str(error))])
    checkup = found.checkup
    blocks: list[Block] = [
        f"{found.verdict} {sentence(count(len(found.findings), 'thing'))} were looked at, on "
        f"{checkup.n_images:,} {checkup.data}; what is normal was measured on models of MNIST that "
        f"ship with zscape."
    ]
    for finding in found.told:
        blocks += [Heading(sentence(f"{finding.name} ({finding.severity})")), str(finding)]
    if found.following:
        names = listing((finding.name for finding in found.following), most=20)
        blocks.append(f"Out of the ordinary, but perhaps only for that reason: {names}.")
    blocks.append(
        Plate(
            figures.plot_neuron_variances(checkup.mean_variance, checkup.posterior_variance),
            f"What the codes of each neuron are made of. {_parts(m)}",
            "Variance of the codes of every neuron",
        )
    )
    rows = [[one.name, one.measure, _value(one.value), _normal(one), str(one.severity)]
            for one in found.findings]  # fmt: skip
    table = Table(["looked for", "measured by", "here", "normal", "found"], rows, EXCESS)
    blocks.append(Details("All that was looked for", [table]))
    if checkup.skipped:
        blocks.append(" ".join(checkup.skipped))
    return Section(TITLE, blocks)


def _parts(m: Material) -> str:
    """The neurons that tell least and most, by the share of their noise."""
    checkup = m.diagnosis.checkup
    shares = checkup.posterior_variance / checkup.std**2
    clear, dim = int(shares.argmin()), int(shares.argmax())
    text = f"In z{clear} the encoder's noise is {_share(shares[clear])} of their variance"
    if clear != dim and shares[dim] >= 0.001:
        text += f", in z{dim} {_share(shares[dim])}"
    wide = int((checkup.std > WIDE).sum())
    if not wide:
        return f"{text}; none is much wider than the prior."
    return f"{text}; {count(wide, 'neuron is', 'neurons are')} wider than the prior."


def _share(value: float) -> str:
    return percent(value) if value >= 0.001 else "next to nothing"


def _value(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def _normal(finding: Finding) -> str:
    if finding.normal is None:
        return "–"
    low, high = (_value(edge) for edge in finding.normal)
    return low if low == high else f"{low} to {high}"
