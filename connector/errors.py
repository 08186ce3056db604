"""Everything that can go wrong and that a caller can do something about.

ConnectorError                 the root; never raised itself
├── BadInput                   a person's text is wrong; carries Problems (file:line:col, what, cure)
│   ├── ConfigError            config.yaml, or a file it names
│   └── MappingError           a mapping document
├── BadWebhook                 the sender's body is not what it should be (400 or 422); kept as rejected
├── Unauthorized               the sender did not prove who it is (401)
├── StoreError                 the store cannot do it now
│   ├── StoreBusy              locked, full or unreachable: try again (the door answers 503)
│   └── StoreOutdated          the schema is not this program's: run `connector db upgrade`
├── Purged                     what Flavours sent is stored no more: it cannot be sent again
├── NotFound                   no such event, delivery or target (a CLI argument)
└── TargetError                a target did not do what was asked (see connector/targets/base.py)
    ├── NotSent                the request never left: connection refused, no such host (safe to repeat)
    ├── Uncertain              sent, and no readable answer: the target may have done it
    ├── Busy                   429, 503, a quota: pause the target
    ├── Refused                the credentials, or the address, are not accepted: hold the target
    └── Rejected               the data is not accepted: fail the delivery, with the vendor's sentence
        ├── NameTaken          the target takes each name once, and another record has this one
        └── AlreadyThere       the target says that the record exists, and perhaps which one it is
"""

from dataclasses import dataclass


class ConnectorError(Exception):
    """Be the root of all errors that are ours."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Name one mistake in a person's text: where it is, what was found, and the cure. Lines and columns count from 1."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class BadInput(ConnectorError):
    """Report every mistake in a person's text at once."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(map(str, self.problems)))


class ConfigError(BadInput):
    """Refuse a configuration."""


class MappingError(BadInput):
    """Refuse a mapping document."""


class BadWebhook(ConnectorError):
    """Refuse a body: `status` 400 (not JSON, not an object) or 422 (not what its action promises).

    `fields` maps a dotted path in the body to the messages about it. What could be read of the envelope
    (`xid`, `action`) goes along, so that the rejected event can be found.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        fields: dict[str, list[str]] | None = None,
        *,
        xid: str | None = None,
        action: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.fields = status, detail, fields or {}
        self.xid, self.action = xid, action


class Unauthorized(ConnectorError):
    """Refuse a sender that did not prove who it is; the text says what was missing, never a secret."""


class StoreError(ConnectorError):
    """Report that the store cannot do it now."""


class StoreBusy(StoreError):
    """Report a store that is locked, full or unreachable: try again.

    Nothing was stored, but where the answer to a commit was lost; a webhook that is stored is then a duplicate.
    """


class StoreOutdated(StoreError):
    """Report a schema that is not this program's."""


class AlreadyStored(ConnectorError):
    """Refuse to route an event again that is stored a second time: only one of the two is delivered."""


class Purged(ConnectorError):
    """Refuse to route an event again whose body was purged, or whose customer was forgotten."""


class NotFound(ConnectorError):
    """Report an event, delivery, source, sync or target that does not exist."""


class TargetError(ConnectorError):
    """Report that a target did not do what was asked; the text is safe to log (no secret, no query)."""


class NotSent(TargetError):
    """Report a request that never left this machine: connection refused, name not found. Safe to repeat."""


class Uncertain(TargetError):
    """Report a request that was sent and not readably answered: the target may have done it."""


class Busy(TargetError):
    """Report a target that asks to wait; `retry_after` in seconds when it says how long."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Refused(TargetError):
    """Report credentials, permissions or an address that the target does not accept.

    `expired`: a token that can be renewed may be all that is wrong.
    """

    def __init__(self, message: str, *, expired: bool = False) -> None:
        super().__init__(message)
        self.expired = expired


class Rejected(TargetError):
    """Report data that the target does not accept; `fields` that the vendor names, dotted, `status` as answered.

    `soft`: the vendor's code says that a value is none of its list, so that the fields may be left out.
    """

    def __init__(self, message: str, *, fields: tuple[str, ...] = (), status: int = 0, soft: bool = False) -> None:
        super().__init__(message)
        self.fields, self.status, self.soft = fields, status, soft


class NameTaken(Rejected):
    """Report a name that another record of the target has."""


class AlreadyThere(Rejected):
    """Report a record that exists; `remote_id` when the target says which."""

    def __init__(self, message: str, remote_id: str | None = None, *, status: int = 0) -> None:
        super().__init__(message, status=status)
        self.remote_id = remote_id
