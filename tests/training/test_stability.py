import pytest
from benchmarks.stability import cells, train_cell


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "n_seeds"),
    [pytest.param(o, n, id=f"{quantity}={value}") for quantity, value, o, n in cells()],
)
def test_every_seed_ends_finite_and_alive(options, n_seeds):
    outcome = train_cell(options, n_seeds)
    print(outcome)
    assert outcome.n_finite == n_seeds
    assert outcome.n_alive == n_seeds
