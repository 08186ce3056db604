"""README says what is true: its table of targets, its example, its commands, its messages.

The table of targets is made from the code, those of sizing from what the benchmarks measured; after a change of a kind
of target, or a new measurement:

    python -m tests.test_readme
    python -m tests.benchmarks.sizing
"""

import json
import re
from pathlib import Path

import pytest

from connector.mapping import document
from connector.mapping.rules import apply
from connector.models import Event
from connector.targets import kinds
from tests.benchmarks import sizing
from tests.commands import leaves, named, refuses
from tests.installation import TESTS

README = TESTS.parent / "README.md"
TEXT = README.read_text(encoding="utf-8")
BEGIN, END = "<!-- targets -->\n", "<!-- /targets -->"
HEAD = (
    *("kind", "what it is", "finds by", "upsert", "batch", "limits", "credentials"),
    *("can a contact appear twice?", "proved against"),
)


def table():
    "Render the table of targets as README has it."
    rows = [HEAD, ("---",) * len(HEAD), *map(_row, kinds.describe())]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _row(kind):
    return (
        f"`{kind['kind']}`",
        kind["label"],
        kind["match"],
        kind["upsert"],
        str(kind["batch_size"]),
        kind["limits"],
        kind["auth"],
        kind["can_appear_twice"].replace("{{ customer }}", "`{{ customer }}`"),
        kind["proved"],
    )


def with_table(text):
    before, rest = text.split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END, 1)[1]


def section(title):
    return TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_the_table_of_targets_is_what_the_code_says():
    assert with_table(TEXT) == TEXT, "run: python -m tests.test_readme"


def test_the_sizing_tables_are_what_the_benchmarks_measured():
    assert sizing.with_tables(TEXT, sizing.read()) == TEXT, "run: python -m tests.benchmarks.sizing"


def test_the_mapping_example_makes_the_record_beside_it():
    mapping = document.read(blocks(TEXT, "yaml")[0], "README.md")
    (given,) = re.findall(r"^`(\{.*\})` becomes$", TEXT, re.MULTILINE)
    data = {"id": "c1"} | json.loads(given)
    made = apply(mapping, Event(None, "customers.CREATE", None, data, "c1", None, deleted=False, fingerprint=""))
    assert made.record == json.loads(blocks(TEXT, "json")[0])
    assert made.warnings == ()


def test_the_commands_of_readme_are_found():
    assert {"demo", "check --online", "replay --state failed"} <= {" ".join(words) for words in named(TEXT)}


@pytest.mark.parametrize("words", named(TEXT), ids=" ".join)
def test_every_command_and_option_exists(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("payload.json").write_text("{}")
    assert refuses(words) is None


@pytest.mark.parametrize("words", leaves(), ids=" ".join)
def test_every_command_is_named(words):
    assert re.search(rf"connector {' '.join(words)}\b", TEXT)


def test_the_facts_of_commands_come_as_json_too():
    without = {" ".join(words) for words in leaves() if refuses([*words, "--json"]) is not None}
    assert without == {"demo", "serve", "worker"}


def source():
    files = sorted((TESTS.parent / "connector").rglob("*.py"))
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def fragments():
    "What the troubleshooting table quotes, row by row: all in backticks in its first column."
    rows = [line for line in section("Troubleshooting, by message").splitlines() if line.startswith("| ")][1:]
    cells = [re.match(r"\| (.*?) \| ", row)[1] for row in rows]
    return [(re.findall(r"(?<!`)`([^`]+)`(?!`)", cell) + re.findall(r"`` ?(.+?) ?``", cell), cell) for cell in cells]


@pytest.mark.parametrize(("quotes", "cell"), fragments())
def test_every_message_of_the_troubleshooting_table_is_in_the_code(quotes, cell):
    assert quotes, cell
    text = source()
    assert [quote for quote in quotes if quote not in text] == []


def test_the_unit_and_the_proxy_are_short():
    (unit,) = blocks(TEXT, "ini")
    (proxy,) = blocks(section("Going live"), "")[:1]
    assert len(unit.splitlines()) <= 10
    assert len(proxy.splitlines()) == 3


def test_the_proxy_lets_nothing_but_webhooks_in():
    "/metrics, /readyz and /healthz ask nobody for a password."
    assert "reverse_proxy /webhooks/* 127.0.0.1:8080\n" in section("Going live")


def test_the_settings_of_going_live_are_right(tmp_path):
    from connector import config

    (server,) = re.findall(r"under `server`, `(\{.*?\})`", TEXT)
    file = tmp_path / "config.yaml"
    file.write_text(f"server: {server}\nsources: {{f: {{auth: {{path_token: a-path-token-of-the-tests}}}}}}\n")
    assert config.load(file, {}).server.public_url == "https://hooks.example.com"


def test_the_message_to_flavours_is_the_one_that_init_prints():
    from connector.cli.init import _MESSAGE

    said = re.sub(r"[`>\s]+", " ", section("Going live"))
    for sentence in ("Please send the webhook customers.CREATE of our account as POST with a JSON body to",
                     "tell us whether you send a signature or an authorization header, so that we can require it"):  # fmt: skip
        assert sentence in said
        assert sentence in re.sub(r"\s+", " ", _MESSAGE)


def test_what_it_links_to_is_there():
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", TEXT)
    assert links
    assert [link for link in links if not (TESTS.parent / link).exists()] == []


if __name__ == "__main__":
    README.write_text(with_table(TEXT), encoding="utf-8")
