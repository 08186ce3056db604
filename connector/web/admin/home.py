"""The first page: is it well? One sentence for each concern, and the last days in a small chart."""

from datetime import datetime, timedelta
from typing import Any

from werkzeug.wrappers import Response

from connector.store import now_ms
from connector.web.admin.frame import Frame

DAYS = 7


def add(frame: Frame) -> None:
    """Add the page, and the part of it that renews itself."""
    frame.page("/", "home", lambda: _show(frame, "home.html"))
    frame.page("/now", "now", lambda: _show(frame, "_now.html"))


def _show(frame: Frame, template: str) -> Response:
    store = frame.store
    days = _days(now_ms())
    arrived = store.overview.arrived([start for _, start in days])
    became = store.overview.became(days[-1][1])
    waiting = store.overview.waiting()
    return frame.draw(
        template,
        bars=_bars([day for day, _ in days], arrived),
        today=arrived[-1],
        week=sum(arrived),
        became=became,
        waiting=waiting,
        oldest=store.overview.oldest_waiting(),
        last=store.overview.last_of(sorted(frame.config.sources)),
        targets=_targets(frame),
        worker=store.worker_alive(),
        well=well(waiting, store.worker_alive(), _targets(frame)),
        newest=store.desk.events(limit=8),
    )


def well(waiting: dict[str, int], worker: bool, targets: dict[str, str]) -> str:
    """Return which sentence says how it is: the first concern that asks for a person, or `well_all`."""
    if not worker:
        return "well_no_worker"
    if "held" in targets.values():
        return "well_target_held"
    if waiting["held"]:
        return "well_held"
    if waiting["failed"]:
        return "well_failed"
    return "well_all"


def _targets(frame: Frame) -> dict[str, str]:
    states = frame.store.states.all()
    return {name: states[name].state if name in states else "open" for name in sorted(frame.config.targets)}


def _days(now: int) -> list[tuple[str, int]]:
    """Return the last seven days as (label, first millisecond), on this machine's clock."""
    today = datetime.fromtimestamp(now / 1000).astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    starts = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    return [(f"{start:%m-%d}", int(start.timestamp() * 1000)) for start in starts]


def _bars(labels: list[str], counts: list[int]) -> list[dict[str, Any]]:
    most = max([*counts, 1])
    return [
        {"label": label, "count": count, "height": max(1, round(60 * count / most)), "x": 40 * at}
        for at, (label, count) in enumerate(zip(labels, counts, strict=True))
    ]
