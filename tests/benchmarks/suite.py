"""The benchmarks by name, in the order in which they run."""

from tests.benchmarks import acks, claims, drains, latency, nodered, standing

SUITE = {
    "acks": acks.acks,
    "acks_postgres": acks.acks_postgres,
    "ack_wait": acks.ack_wait,
    "drain": drains.drain,
    "drain_slow": drains.drain_slow,
    "processor": drains.processor,
    "claims_sqlite": claims.claims_sqlite,
    "claims_postgres": claims.claims_postgres,
    "million": standing.million,
    "growth": standing.growth,
    "commands": standing.commands,
    "workers": standing.workers,
    "latency": latency.latency,
    "nodered": nodered.nodered,
}
