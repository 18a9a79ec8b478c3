import pytest

from zscape.report import words


@pytest.mark.parametrize(
    ("n", "noun", "text"),
    [
        (0, "neuron", "no neurons"), (1, "neuron", "one neuron"), (10, "step", "ten steps"),
        (11, "step", "11 steps"), (12345, "image", "12,345 images"), (3, "", "3"),
        (1200, "", "1,200"),
    ],
)  # fmt: skip
def test_counts(n, noun, text):
    assert words.count(n, noun) == text


def test_counts_of_irregular_nouns():
    assert words.count(2, "class", "classes") == "two classes"
    assert words.count(1, "class", "classes") == "one class"


def test_lists():
    assert words.listing(["a"]) == "a"
    assert words.listing(["a", "b", "c"]) == "a, b and c"
    assert words.listing(range(20), most=4) == "0, 1, 2 and 17 more"
    assert words.neurons([0, 3]) == "z0 and z3"


def test_numbers():
    assert words.number(-0.001) == "0.00"
    assert words.number(-1234.5, 1) == "−1,234.5"
    assert words.distance(0.00321) == "0.0032"
    assert words.distance(2) == "2.00"
    assert words.percent(0.256) == "26 %"
    assert words.percent(0.996) == "99.6 %"
    assert words.percent(1) == "100 %"


def test_runs():
    assert words.runs(["0", "0", "6", "0", "0", "0"]) == "0 (twice), 6, 0 (three times)"


def test_a_sentence_may_begin_with_a_neuron():
    assert words.sentence("two images") == "Two images"
    assert words.sentence("z2 stands still.") == "z2 stands still."
    assert words.sentence("zoo models") == "Zoo models"
