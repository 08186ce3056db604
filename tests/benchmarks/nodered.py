"""Beside Node-RED: a flow of webhook, function that maps ten fields, and HTTP request; same sender, same stub, same rounds.

It is brought by npm, once, into ${XDG_CACHE_HOME:-~/.cache}/flavours-connector/nodered (or what NODERED_HOME says).
"""

import contextlib
import json
import shutil
import subprocess

import psutil
import pytest

from tests.benchmarks import stage
from tests.benchmarks.drains import drained
from tests.benchmarks.figures import Figure, Goal
from tests.benchmarks.stage import cpu, send
from tests.benchmarks.standing import pss
from tests.installation import call, free_port, wait_for
from tests.real.systems import Missing, home, run

# The flow's author would write this: the customer's ten fields, and nothing of the message that came in.
MAP = """
const data = msg.payload.data, user = data.user, words = user.name.split(" ");
return {
  method: "POST",
  headers: {"content-type": "application/json"},
  payload: {contact: {
    external_id: data.id, name: user.name, first_name: words[0], last_name: words.slice(1).join(" "),
    phone: "+" + user.phone_prefix + user.phone.replace(/^0/, ""), email: user.email,
    address: {street: data.street, district: data.district, city: data.city, zip_code: data.zip_code, country: "SA"},
    language: user.lang,
  }},
};
"""
SETTINGS = """
module.exports = {
  uiHost: "127.0.0.1", uiPort: PORT, flowFile: "flows.json", httpAdminRoot: false, telemetry: {enabled: false},
  logging: {console: {level: "error", metrics: false, audit: false}},
};
"""


def flow(crm):
    "Return the flow: answered at once, then mapped and posted over connections that are kept."
    at = {"z": "flow", "x": 0, "y": 0}
    return [
        {"id": "flow", "type": "tab", "label": "customers"},
        {"id": "in", "type": "http in", "url": "/x", "method": "post", "wires": [["thanks", "map"]], **at},
        {"id": "thanks", "type": "http response", "statusCode": "202", "wires": [], **at},
        {"id": "map", "type": "function", "func": MAP, "outputs": 1, "wires": [["post"]], **at},
        {
            "id": "post",
            "type": "http request",
            "method": "use",
            "ret": "obj",
            "url": f"http://127.0.0.1:{crm}/contacts",
            "persist": True,
            "wires": [[]],
            **at,
        },
    ]


def installed():
    "Return Node-RED's program, brought by npm if it is not there; skip where there is none."
    if not (shutil.which("npm") and shutil.which("node")):
        pytest.skip("node and npm are not installed: apt-get install npm")
    try:
        folder = home("nodered")
        program = folder / "node_modules" / "node-red" / "red.js"
        if not program.exists():
            run("npm cannot bring Node-RED", "npm", "install", "--no-audit", "--no-fund", "--omit=dev", "--prefix", str(folder), "node-red")  # fmt: skip
    except Missing as missing:
        pytest.skip(str(missing))
    return program


@contextlib.contextmanager
def node_red(bench, crm):
    "Run it with the flow: its port and its process."
    program, folder, port = installed(), bench.room(), free_port()
    (folder / "flows.json").write_text(json.dumps(flow(crm)))
    (folder / "settings.js").write_text(SETTINGS.replace("PORT", str(port)))
    words = ["node", str(program), "--userDir", str(folder), "--settings", str(folder / "settings.js")]
    process = subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL)

    def up():
        with contextlib.suppress(OSError):
            return call(port, "GET", "/x")[0] == 404 and process.poll() is None

    try:
        wait_for(up, 120)
        yield port, psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder)


def nodered(bench):
    "Line 11: contacts in a second from the webhook to the contact, by turns."
    theirs, one, many, drains, count = [], [], [], [], bench.some(3000, 1500)
    with stage.crm() as stub, node_red(bench, stub.port) as (port, process):
        _passed(stub, port, "/x", 500, [process])
        for _ in range(bench.rounds):
            theirs.append(_passed(stub, port, "/x", count, [process]))
            one.append(_ours(bench, stub, count, "rest"))
            many.append(_ours(bench, stub, count, "hubspot"))
            drains.append(drained(bench, stub, bench.some(20_000, 8_000), kind="hubspot")[0])
    rates, costs, sizes = (lambda seen: [x[0] for x in seen]), (lambda seen: [x[1] for x in seen]), (lambda seen: [x[2] for x in seen])  # fmt: skip
    beside = "Node-RED, which keeps nothing on disk"
    yield Figure(11, "nodered", "webhook to contact, one by one", "contacts/s", rates(one), rates(theirs), beside, Goal("ratio", "at least", 1))  # fmt: skip
    yield Figure(11, "nodered_batches", "what is stored to contacts, in batches of 100", "contacts/s", drains, rates(theirs), beside, Goal("ratio", "at least", 5))  # fmt: skip
    yield Figure(
        11,
        "nodered_stream",
        "webhook to contact, in batches as they come",
        "contacts/s",
        rates(many),
        rates(theirs),
        beside,
    )
    yield Figure(11, "nodered_cpu", "CPU one by one, all processes", "s per 1,000", costs(one), costs(theirs), beside)
    yield Figure(
        11,
        "nodered_cpu_stream",
        "CPU in batches as they come, all processes",
        "s per 1,000",
        costs(many),
        costs(theirs),
        beside,
    )
    yield Figure(
        11, "nodered_memory", "memory (PSS) right afterwards, all processes", "MB", sizes(one), sizes(theirs), beside
    )


def _passed(stub, port, path, count, processes, **options):
    "Send so many by 16 connections; return contacts in a second until the last arrives, CPU for a thousand, and memory."
    stub.forget()
    before = cpu(processes)
    first = send(port, path, count=count, **options)["first"]
    seen = stub.wait(count)
    assert seen["writes"] == count, seen
    return count / (seen["last"] - first), (cpu(processes) - before) * 1000 / count, pss(processes)


def _ours(bench, stub, count, kind):
    with stage.house(bench, stub, kind=kind) as house:
        ours = house.whole()
        _passed(stub, house.port, stage.WEBHOOK, 300, ours, first=1_000_000)
        return _passed(stub, house.port, stage.WEBHOOK, count, ours)
