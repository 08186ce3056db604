"""Read Pipedrive's limits: a burst, a day that is used up, and a block, which is a web page."""

from datetime import datetime, time, timedelta

from connector.errors import Busy, TargetError
from connector.targets.answers import Answer, Asked, retry_after, verdict

BLOCKED, DAY = 600.0, 3600.0  # seconds: after a block; and between looks whether the day's tokens are renewed


def judge(answer: Answer, asked: Asked, now: datetime) -> TargetError | None:
    """Tell a limit from a lack of permission, and a day that is used up from a burst."""
    error = verdict(answer, asked, now)
    if answer.status == 403 and not answer.is_json:
        return Busy(f"{asked.shown} answered 403 with a web page: blocked for asking too much", BLOCKED)
    if answer.status != 429:
        return error
    if answer.headers.get("x-daily-ratelimit-token-remaining") == "0":
        renewed = datetime.combine(now.date() + timedelta(days=1), time(0, 1), now.tzinfo)
        return Busy(f"{error}; the company's tokens of today are used up", min(DAY, (renewed - now).total_seconds()))
    waits = [retry_after(answer.headers.get(name), now) for name in ("Retry-After", "x-ratelimit-reset")]
    return Busy(str(error), max((wait for wait in waits if wait is not None), default=None))
