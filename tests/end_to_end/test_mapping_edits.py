"""A mapping that is edited under load: nothing is lost, and every record shows the version that its delivery tells of."""

import hashlib
import json
import subprocess
import sys
import time
from collections import Counter

import pytest

from tests.installation import TESTS, TOKEN, call, wait_for

RATE, COUNT = 200, 1200
MAPPING = "version: 1\nkind: rest\nmatch: [phone]\nfields:\n  name: user.name\n  phone: user.phone\n  external_id: id\n"


def version(word):
    return f"{MAPPING}  made_by: {{value: {word}}}\n"


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


# What is saved one after the other, and what the log must hold then.
EDITS = (
    (version("v2"), digest(version("v2"))[:12]),
    (version("broken") + "  city: user.ctiy\n", "ctiy"),
    (version("other").replace("kind: rest", "kind: csv"), "the mapping `rest` is for csv"),
    (version("v3"), digest(version("v3"))[:12]),
)


def sending(installed):
    "Be Flavours, which sends new customers at fixed times, whatever happens here."
    words = ["--port", installed.port, "--path", f"/webhooks/flavours/{TOKEN}", "--count", COUNT, "--rate", RATE]
    command = [sys.executable, "-m", "tests.benchmarks.sender", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=TESTS.parent)


def save(file, text):
    "As an editor that is no friend: for a while, half of it is there, which is a valid mapping too."
    with file.open("w") as opened:
        opened.write(text[: text.index("  made_by")])
        opened.flush()
        time.sleep(0.05)
        opened.write(text[text.index("  made_by") :])


@pytest.mark.slow
def test_a_mapping_edited_under_load_loses_nothing(installed, crm):
    config = installed.folder / "config.yaml"
    config.write_text(
        "\n".join(line for line in config.read_text().splitlines() if "customers_to_contacts" not in line)
    )
    file = installed.folder / "mappings" / "rest.yaml"
    file.write_text(version("v1"))
    installed.serve()
    wait_for(lambda: "mapping in use" in installed.log())
    flavours = sending(installed)
    time.sleep(0.5)
    for text, told in EDITS:
        save(file, text)
        wait_for(lambda told=told: told in installed.log())
    time.sleep(0.5)
    code, told, _ = installed.cli("mapping", "rollback", "rest")
    assert (code, told.splitlines()[1:]) == (0, ["mappings/rest.yaml was written too"])
    seen = json.loads(flavours.communicate(timeout=120)[0])
    assert seen["answers"] == {"202": COUNT}
    wait_for(lambda: len(call(crm.port, "GET", "/contacts")[1]["items"]) == COUNT, 120, every=0.5)
    wait_for(lambda: {row["state"] for row in deliveries(installed)} == {"delivered"}, every=0.5)
    at_the_target = crm.all()
    assert at_the_target["creates"] == {f"customer-{n}": 1 for n in range(COUNT)}
    made = {contact["external_id"]: contact["made_by"] for contact in at_the_target["contacts"]}
    assert {row["customer"]: row["mapping"] for row in deliveries(installed)} == {
        customer: digest(version(word)) for customer, word in made.items()
    }
    print(Counter(made.values()), f"p99 {seen['p99_ms']:.1f} ms")
    assert set(made.values()) == {"v1", "v2", "v3"}
    history = json.loads(installed.cli("mapping", "history", "rest", "--json")[1])
    assert [one["hash"] for one in history] == [digest(version(word)) for word in ("v2", "v3", "v2", "v1")]
    assert file.read_text() == version("v2")


def deliveries(installed):
    return json.loads(installed.cli("deliveries", "list", "--limit", str(2 * COUNT), "--json")[1])
