"""The tables, their keys and the partial indexes that keep each question cheap at a million rows."""

import sqlalchemy as sa

from connector.models import DELIVERY_STATES

REVISION = "0006"

metadata = sa.MetaData()

# Ids are never used again, also after a purge: people quote them. Times are epoch milliseconds.
_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")

events = sa.Table(
    "events",
    metadata,
    sa.Column("id", _ID, primary_key=True, autoincrement=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("xid", sa.Text),
    sa.Column("fingerprint", sa.Text),
    sa.Column("body_hash", sa.Text),
    sa.Column("action", sa.Text),
    sa.Column("customer", sa.Text),
    sa.Column("conflict", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("received_at", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("body", sa.LargeBinary),
    sqlite_autoincrement=True,
)


def _literal(text: str) -> sa.ColumnElement[str]:
    # SQLite takes a partial index only when the query repeats its condition word for word: a bound value hides it, and
    # `state = 'held'` is not seen to be `state IN ('held', 'failed')`.
    return sa.literal_column(f"'{text}'", sa.Text)


NOT_REJECTED = events.c.state != _literal("rejected")
REJECTED = events.c.state == _literal("rejected")
_identified = sa.and_(events.c.xid.is_not(None), NOT_REJECTED)
sa.Index(
    "ux_events_identity",
    events.c.source,
    events.c.xid,
    events.c.fingerprint,
    unique=True,
    sqlite_where=_identified,
    postgresql_where=_identified,
)
sa.Index(
    "ux_events_rejected",
    events.c.source,
    events.c.body_hash,
    unique=True,
    sqlite_where=REJECTED,
    postgresql_where=REJECTED,
)
# Every index is paid for at each ack: what is common is found by walking, only what is rare has one of its own.
RARE_EVENT = events.c.state.in_([_literal("ignored"), _literal("rejected")])
sa.Index("ix_events_rare", events.c.state, events.c.id, sqlite_where=RARE_EVENT, postgresql_where=RARE_EVENT)


def events_in(state: str) -> sa.ColumnElement[bool]:
    """Return the condition that an event has this state, such that its index is found."""
    if state in ("ignored", "rejected"):
        return sa.and_(RARE_EVENT, events.c.state == _literal(state))
    return events.c.state == state


deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("id", _ID, primary_key=True, autoincrement=True),
    sa.Column("event_id", _ID, sa.ForeignKey("events.id"), nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("sync", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("customer", sa.Text, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False, server_default="0"),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("due_at", sa.BigInteger, nullable=False),
    sa.Column("owner", sa.Text),
    sa.Column("fence", sa.Integer, nullable=False, server_default="0"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("active_since", sa.BigInteger),
    sa.Column("maybe_sent", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("alone", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("create_anyway", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("remote_id", sa.Text),
    sa.Column("mapping_hash", sa.Text),
    sa.Column("pinned_mapping", sa.Text),  # the hash of the version that a person wants it made with
    sa.Column(
        "reopened", sa.Integer, nullable=False, server_default="0"
    ),  # each life has an idempotency key of its own
    sa.Column("code", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("warnings", sa.JSON),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("finished_at", sa.BigInteger),
    sqlite_autoincrement=True,
)
PENDING = deliveries.c.state == _literal("pending")
RUNNING = deliveries.c.state == _literal("running")
# The index of the lanes goes by a column that a claim leaves alone: an entry that lies anywhere in it is not written
# again for each step of its delivery.
_OPEN = deliveries.c.finished_at.is_(None)
UNFINISHED = sa.and_(_OPEN, deliveries.c.state.in_([_literal(state) for state in ("pending", "blocked", "running")]))
sa.Index("ux_deliveries_once", deliveries.c.event_id, deliveries.c.sync, deliveries.c.generation, unique=True)
sa.Index(
    "ix_deliveries_due",
    deliveries.c.target,
    deliveries.c.due_at,
    deliveries.c.id,
    sqlite_where=PENDING,
    postgresql_where=PENDING,
)
sa.Index(
    "ix_deliveries_lane",
    deliveries.c.customer,
    deliveries.c.target,
    deliveries.c.id,
    sqlite_where=_OPEN,
    postgresql_where=_OPEN,
)
sa.Index("ix_deliveries_running", deliveries.c.owner, sqlite_where=RUNNING, postgresql_where=RUNNING)
RARE = ("blocked", "held", "failed", "skipped")
_RARE_DELIVERY = deliveries.c.state.in_([_literal(state) for state in RARE])
sa.Index(
    "ix_deliveries_rare",
    deliveries.c.state,
    deliveries.c.id,
    sqlite_where=_RARE_DELIVERY,
    postgresql_where=_RARE_DELIVERY,
)


def deliveries_in(state: str) -> sa.ColumnElement[bool]:
    """Return the condition that a delivery has this state, such that its index is found."""
    if state not in DELIVERY_STATES:
        return deliveries.c.state == state
    exactly = deliveries.c.state == _literal(state)
    return sa.and_(_RARE_DELIVERY, exactly) if state in RARE else exactly


attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("id", _ID, primary_key=True, autoincrement=True),
    sa.Column("delivery_id", _ID, sa.ForeignKey("deliveries.id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("started_at", sa.BigInteger, nullable=False),
    sa.Column("took_ms", sa.Integer, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("answer", sa.Text),
    sa.Column("worker", sa.Text),
    sqlite_autoincrement=True,
)
sa.Index("ix_attempts_delivery", attempts.c.delivery_id)

links = sa.Table(
    "links",
    metadata,
    sa.Column("target", sa.Text, primary_key=True),
    sa.Column("customer", sa.Text, primary_key=True),
    sa.Column("remote_id", sa.Text, nullable=False),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("source_updated_at", sa.BigInteger),
    sa.Column("arrival", sa.BigInteger, nullable=False),
    sa.Column("record_hash", sa.Text, nullable=False),
    sa.Column("mapping_hash", sa.Text, nullable=False),
    sa.Column("linked_at", sa.BigInteger, nullable=False),
)
sa.Index("ix_links_remote", links.c.target, links.c.remote_id)

targets = sa.Table(
    "targets",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False, server_default="open"),
    sa.Column("until", sa.BigInteger),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("since", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("pauses", sa.Integer, nullable=False, server_default="0"),
    sa.Column("stopped_ms", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("prober", sa.Text),
)

mappings = sa.Table(
    "mappings",
    metadata,
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("stored_at", sa.BigInteger, nullable=False),
)

mapping_versions = sa.Table(
    "mapping_versions",
    metadata,
    sa.Column("id", _ID, primary_key=True, autoincrement=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, sa.ForeignKey("mappings.hash"), nullable=False),
    sa.Column("published_at", sa.BigInteger, nullable=False),
    sa.Column("published_by", sa.Text, nullable=False, server_default=""),
    sqlite_autoincrement=True,
)
sa.Index("ix_mapping_versions_name", mapping_versions.c.name, mapping_versions.c.id)

# A worker's sign of life. A lease is lost when owner and beat stay unchanged for a whole lease by the observer's
# monotonic clock, so that nobody's wall clock matters.
workers = sa.Table(
    "workers",
    metadata,
    sa.Column("owner", sa.Text, primary_key=True),
    sa.Column("beat", sa.BigInteger, nullable=False),
    sa.Column("seen_at", sa.BigInteger, nullable=False),
    sa.Column("lease_ms", sa.BigInteger, nullable=False),
)

# What the workers of one target share. `blob` is encrypted by the target and is nothing to this room; version 0 means
# that nothing was kept yet, and somebody asks for the first tokens.
tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("target", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("blob", sa.LargeBinary, nullable=False),
    sa.Column("renewing_until", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("kept_at", sa.BigInteger, nullable=False, server_default="0"),
)

# `next_at` has fractions of a millisecond: a pace may allow thousands of requests in a second.
turns = sa.Table(
    "turns",
    metadata,
    sa.Column("target", sa.Text, primary_key=True),
    sa.Column("next_at", sa.Float, nullable=False),
    sa.Column("asked_at", sa.BigInteger, nullable=False),
)

# The people who may sign in to the admin pages, and what they did there.
people = sa.Table(
    "people",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("password", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("added_at", sa.BigInteger, nullable=False),
)

# A session is known by the hash of its token: who reads the store cannot sign in with what is there.
sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("token", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("until", sa.BigInteger, nullable=False),
)

sign_in_failures = sa.Table(
    "sign_in_failures",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("last_at", sa.BigInteger, nullable=False),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", _ID, primary_key=True, autoincrement=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("about", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)

# What a person may look for, folded, beside the event that it is in; filled behind the ack, never by it.
search_keys = sa.Table(
    "search_keys",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("event_id", _ID, primary_key=True),
    sqlite_with_rowid=False,
)
sa.Index("ix_search_keys_event", search_keys.c.event_id)

# Events that are past their time and not finished yet: looked at again later, wherever the purge has gone on to.
overdue = sa.Table(
    "overdue",
    metadata,
    sa.Column("event_id", _ID, primary_key=True, autoincrement=False),
    sa.Column("look_at", sa.BigInteger, nullable=False),
)
sa.Index("ix_overdue_look", overdue.c.look_at, overdue.c.event_id)

marks = sa.Table(
    "marks",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)
