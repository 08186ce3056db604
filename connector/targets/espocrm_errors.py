"""Read what EspoCRM has against a contact: the reason in its header, the field it names, and the contacts alike."""

from collections.abc import Sequence
from datetime import datetime

from connector.errors import Rejected, TargetError
from connector.targets import records
from connector.targets.answers import Answer, Asked, failure, says, verdict
from connector.targets.ladder import Row

FIELD = ("field", "messageTranslation.data.field")  # where a 400 names the field


class Alike(Rejected):
    """Report the contacts that EspoCRM finds too much alike."""

    def __init__(self, message: str, rows: Sequence[Row]) -> None:
        super().__init__(message, status=409)
        self.rows = rows


def judge(answer: Answer, asked: Asked, now: datetime) -> TargetError | None:
    """Read the reason in its header, the field that is refused, and the list of those alike."""
    error = verdict(answer, asked, now)
    reason = answer.headers.get("X-Status-Reason", "")
    if error is None or answer.status < 400:
        return error
    if answer.status == 409 and isinstance(answer.data, list):
        found = [row for row in answer.data if isinstance(row, dict)]
        return Alike(f"{asked.shown} answered 409: {len(found)} contacts are too much alike", found)
    said = ": ".join(text for text in (reason, says(answer)) if text)
    error = failure(answer.status, answer, asked, now, said)
    if isinstance(error, Rejected):
        error.fields = tuple(name for place in FIELD if (name := records.text(records.look(answer.data, place))))
    return error
