"""How much is claimed ahead: what a target takes in a moment, by what it took lately."""

import pytest

from connector.delivery.speed import AHEAD, MOST, SPAN, Speed


@pytest.mark.parametrize(("per_second", "ahead"), [(2, 0), (20, 5), (400, 100), (4000, MOST)])
def test_a_fast_target_gets_more_ahead(per_second, ahead):
    now = [0.0]
    speed = Speed(lambda: now[0])
    for _ in range(int(2 * per_second * SPAN) + 2):
        now[0] += 1 / per_second
        speed.came_back()
    assert speed.ahead == pytest.approx(min(per_second * AHEAD, ahead), abs=1)


def test_a_target_that_became_slow_gets_less():
    now = [0.0]
    speed = Speed(lambda: now[0])
    for pause in (0.001,) * 600 + (0.5,) * 2:
        now[0] += pause
        speed.came_back()
    assert speed.ahead == 0
