"""How much is claimed ahead: what a target could take in a moment, by how long its pushes take."""

import pytest

from connector.delivery.speed import MOST, Speed


@pytest.mark.parametrize(("seconds", "ahead"), [(10.0, 0), (1.0, 4), (0.1, 40), (0.001, MOST), (0.0, MOST)])
def test_a_fast_target_gets_more_ahead(seconds, ahead):
    speed = Speed(16, 1)
    speed.took(seconds)
    assert speed.ahead == ahead


def test_nothing_is_known_before_the_first_push():
    assert Speed(16, 1).ahead == 0


def test_a_target_that_became_slow_gets_less():
    speed = Speed(16, 1)
    for seconds in (0.001,) * 600 + (5.0,) * 10:
        speed.took(seconds)
    assert speed.ahead <= 2


def test_of_batches_there_are_so_many_fewer():
    speed = Speed(16, 50)
    speed.took(0.001)
    assert speed.ahead == 2
