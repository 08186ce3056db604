"""The real `connector serve` before a real system, and the customers that come to it."""

import copy
import json
import random
from concurrent.futures import ThreadPoolExecutor

from connector.bundled import bundled
from tests.installation import SAMPLE, TOKEN, Installation, wait_for

FIRST = ("نورة", "سارة", "محمد", "عبدالله", "فاطمة", "خالد", "مها", "سلطان", "ريم", "تركي")
FAMILY = ("العتيبي", "القحطاني", "الشمري", "الحربي", "الدوسري", "الغامدي", "المطيري", "الزهراني", "آل سعود", "بن لادن")
CONFIG = """\
database: sqlite:///connector.db
mappings: mappings
server: {{host: 127.0.0.1, port: {port}}}
worker: {{push_threads: 16, lease: 10s}}
retry: {{first_wait: 300ms, longest_wait: 2s}}
sources:
  flavours:
    auth: {{path_token: {token}}}
targets:
  real: {target}
syncs:
  customers: {{source: flavours, actions: [customers.CREATE], mapping: {kind}, target: real}}
"""


def connected(folder, kind, change=lambda text: text, **settings):
    "An installation with one target and its shipped mapping, which `change` may change; not yet started."
    installed = Installation(folder, 0)
    target = json.dumps({"kind": kind, "allow_private": True, **settings})
    config = CONFIG.format(port=installed.port, token=TOKEN, kind=kind, target=target)
    (folder / "config.yaml").write_text(config, encoding="utf-8")
    shipped = (bundled("mappings") / f"{kind}.yaml").read_text(encoding="utf-8")
    text = change(shipped.partition("\nsamples:")[0] + "\n")
    (folder / "mappings" / f"{kind}.yaml").write_text(text, encoding="utf-8")
    return installed


def name(n):
    return f"{FIRST[n % 10]} {FAMILY[n // 10 % 10]} {n}"


def customer(n, again="", **data):
    "A customer with an Arabic name; `again` sends the same one once more, as Flavours would: with another xid."
    event = copy.deepcopy(SAMPLE)
    event["xid"] = f"real-{n}{again}"
    event["data"] |= {"id": f"real-customer-{n}", "city": "الرياض", "district": "العليا", "street": "طريق الملك فهد"}
    event["data"] |= {"zip_code": "12211", **data}
    user = {
        "userable_id": event["data"]["id"],
        "name": name(n),
        "email": f"customer-{n}@example.com",
        "phone": f"05{51000000 + n}",
        "lang": "ar",
    }
    event["data"]["user"] |= user
    return event


def send(installed, events, at_once=16):
    "Post them all, so many at once, in any order."
    events = list(events)
    random.Random(7).shuffle(events)
    with ThreadPoolExecutor(at_once) as pool:
        answers = list(pool.map(installed.post, events))
    assert {status for status, _ in answers} == {202}


def twice(count):
    return [customer(n, again) for n in range(count) for again in ("", "-again")]


def deliveries(installed):
    code, out, err = installed.cli("deliveries", "list", "--limit", "2000", "--json")
    assert code == 0, err
    return json.loads(out)


def settled(installed, count, seconds=120):
    "Wait until so many deliveries have ended; return them."
    ended = ("delivered", "failed", "held", "skipped")

    def all_ended():
        rows = deliveries(installed)
        return rows if len(rows) == count and all(row["state"] in ended for row in rows) else None

    return wait_for(all_ended, seconds, every=0.5)


def states(rows):
    return {state: sum(row["state"] == state for row in rows) for state in {row["state"] for row in rows}}
