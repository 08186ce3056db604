"""The tests that guard a promise can fail: each of these small wrongs is caught by the test named beside it."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.installation import TESTS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

MUTATIONS = {
    "ack before commit": (
        "store/writer.py",
        "        return self.submit(op, arg).wait(self._patience)\n",
        "        from connector.store.inbox import Receipt\n"
        "        request = self.submit(op, arg)\n"
        "        early = op.__name__ == 'accept_many'\n"
        "        return Receipt('accepted', 1) if early else request.wait(self._patience)\n",
        "tests/end_to_end/test_durable.py",
    ),
    "synced less than FULL": (
        "store/sqlite.py",
        '"synchronous=FULL"',
        '"synchronous=NORMAL"',
        "tests/end_to_end/test_durable.py",
    ),
    "not synced at all": (
        "store/sqlite.py",
        '"synchronous=FULL"',
        '"synchronous=OFF"',
        "tests/end_to_end/test_durable.py",
    ),
    "settle without the fence": (
        "store/settling.py",
        "(valid if ours else refused).append(settlement)",
        "valid.append(settlement)",
        "tests/store/test_store_queue.py",
    ),
    "create without the look-up": (
        "targets/ladder.py",
        "self.by_link() or self.by_hint() or self.by_rungs() or self.nobody()",
        "self.nobody()",
        "tests/targets/test_targets_conformance.py",
    ),
    "accept without the lane": (
        "store/inbox.py",
        '"blocked" if lane in busy else "pending"',
        '"pending"',
        "tests/store/test_store_queue.py",
    ),
    "accept without the lane's lock": (
        "store/inbox.py",
        "lanes.lock(connection, wanted, ",
        "lanes.lock(connection, (), ",
        "tests/store/test_store_crowd.py",
    ),
    "settle without the lane's lock": (
        "store/settling.py",
        "lanes.lock(connection, {(s.claim.target, s.claim.customer) for s in settlements}, ",
        "lanes.lock(connection, (), ",
        "tests/store/test_store_crowd.py",
    ),
    "arrange without its rows locked": (
        "store/lanes.py",
        "    .with_for_update()",
        "    ",
        "tests/store/test_store_crowd.py",
    ),
    "settle without the fence, in the machine": (
        "store/settling.py",
        "(valid if ours else refused).append(settlement)",
        "valid.append(settlement)",
        "tests/properties/test_properties_machine.py",
    ),
    "a lease that wakes with what it held before": (
        "delivery/lease.py",
        " and term in (None, self.term)",
        "",
        "tests/properties/test_properties_machine.py",
    ),
    "older data over newer": (
        "delivery/deliver.py",
        "if claim.link is not None and _is_older(event, claim.event, claim.link):",
        "if False:",
        "tests/properties/test_properties_machine.py",
    ),
    "a replay that does not queue up": (
        "store/desk.py",
        "    arrange(connection, {(row.target, row.customer) for row in reopened})\n    return len(reopened)",
        "    return len(reopened)",
        "tests/properties/test_properties_machine.py",
    ),
}


# What `connector drill` sees of them, among 150 customers. It cannot see a settle without the fence (that takes
# a worker that wakes after its lease; those that are killed never do) nor a lost sync (that takes a power cut).
SEEN_BY_THE_DRILL = {
    "ack before commit": "unknown to the store",
    "create without the look-up": "twice",
    "accept without the lane": "older overwrote newer",
}


def mutated(name, tmp_path):
    "Copy everything into the folder, with one wrong line in it."
    file, right, wrong, _ = MUTATIONS[name]
    for part in ("connector", "mappings", "tests"):
        shutil.copytree(TESTS.parent / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("pyproject.toml", "config.example.yaml"):
        shutil.copy(TESTS.parent / part, tmp_path / part)
    source = tmp_path / "connector" / file
    assert right in source.read_text(), f"{name}: the line to mutate is no longer there"
    source.write_text(source.read_text().replace(right, wrong))


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_mutation_is_caught(name, tmp_path):
    mutated(name, tmp_path)
    test = MUTATIONS[name][3]
    run = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-m", "slow or not slow", test]
    ran = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 1, ran.stdout[-3000:]
    assert "failed" in ran.stdout


@pytest.mark.parametrize("name", SEEN_BY_THE_DRILL)
def test_the_drill_sees_the_mutation(name, tmp_path):
    mutated(name, tmp_path)
    run = [sys.executable, "-m", "connector", "drill", "--customers", "150", "--workers", "2", "--seed", "1", "--json"]
    env = os.environ | {"PYTHONPATH": str(tmp_path), "TMPDIR": str(tmp_path)}
    ran = subprocess.run(run, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert json.loads(ran.stdout)["differences"][SEEN_BY_THE_DRILL[name]] > 0
