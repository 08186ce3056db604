"""config.example.yaml, CHANGELOG.md and the shipped mappings say what is true."""

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from marshmallow import fields
from ruamel.yaml import YAML

from connector import config_fields, config_schema
from connector.cli import main
from connector.cli.checking import problems_of
from connector.cli.init import prepare
from connector.config import examine
from connector.mapping import document
from connector.targets import kinds, rest_settings
from tests.commands import named, refuses
from tests.installation import TESTS

ROOT = TESTS.parent
EXAMPLE = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
CHANGES = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
ENV = {name: f"https://{name.lower().replace('_', '-')}.example.com" for name in re.findall(r"\$\{([A-Z_]+)", EXAMPLE)}
ENV["WEBHOOK_SECRET"] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqrTwjU"
SECRETS = re.findall(r"\$\{file:(secrets/\w+)\}", EXAMPLE)
SWITCHED_OFF = re.compile(r"( *)# ([a-z_]+:(?: .*)?)")
WRONG = re.compile(r"config\.example\.yaml:(\d+):(\d+): (.*)")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    "The example as a user has it: beside the mappings, without secrets."
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.example.yaml").write_text(EXAMPLE)
    shutil.copytree(ROOT / "mappings", tmp_path / "mappings")
    return tmp_path


@pytest.fixture
def filled(folder):
    "The same with every secret that it asks for."
    (folder / "secrets").mkdir()
    for name in SECRETS:
        (folder / name).write_text("https://secret-of-the-tests.example.com")
    (folder / "secrets" / "flavours_path_token").write_text("a-path-token-of-the-tests")
    return folder


def check(env):
    return CliRunner().invoke(main, ["check", "--config", "config.example.yaml"], env=env)


def wanted():
    "Each place in force that asks for a variable without a default, or for a file: (line, column)."
    lines = [(number, line.split(" #")[0]) for number, line in enumerate(EXAMPLE.splitlines(), 1)]
    asking = r'"[^"]*\$\{(?!\w+:-)'
    return [(n, found.start() + 1) for n, line in lines if line[:1] != "#" for found in re.finditer(asking, line)]


def test_check_lists_exactly_what_is_missing(folder):
    result = check(dict.fromkeys(ENV))
    found = [WRONG.fullmatch(line) for line in result.stderr.splitlines()]
    assert result.exit_code == 2
    assert [(int(one[1]), int(one[2])) for one in found] == wanted()
    assert all(re.search("is not set|cannot be read", one[3]) for one in found)


def test_it_is_right_once_filled(filled):
    result = check(ENV)
    assert (result.exit_code, result.stderr) == (0, "")


def options():
    "Each block of settings that is switched off, as (first line, count of lines)."
    lines = EXAMPLE.splitlines()
    found, taken = [], -1
    for start, line in enumerate(lines):
        match = SWITCHED_OFF.fullmatch(line)
        if match and start > taken:
            inner = re.compile(rf"{match[1]}#  +\S.*")
            count = 1 + next(i for i, more in enumerate([*lines[start + 1 :], ""]) if not inner.fullmatch(more))
            found.append((start, count))
            taken = start + count - 1
    return found


def switched_on(start, count):
    "Return the example with one block in force, in place of a setting of the same name in its group."
    lines = EXAMPLE.splitlines()
    indent, name = re.match(r"( *)# (\w+):", lines[start]).groups()
    for near in (*range(start - 1, start - 8, -1),):
        if lines[near].startswith(f"{indent}{name}:"):
            lines[near] = ""
    if any("secret_key, above" in line for line in lines[start - 3 : start]):  # what needs the key says so
        lines = [line.replace("# ", "", 1) if line.startswith("# secret_key:") else line for line in lines]
    for line in range(start, start + count):
        lines[line] = lines[line].replace("# ", "", 1)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("block", options(), ids=lambda block: EXAMPLE.splitlines()[block[0]].strip(" #").split(":")[0])
def test_what_is_switched_off_works_when_switched_on(filled, block):
    path = filled / "config.example.yaml"
    path.write_text(switched_on(*block))
    assert path.read_text() != EXAMPLE
    assert problems_of(examine(path, ENV), str(path)) == []


def test_all_that_is_switched_off_was_looked_at():
    seen = {EXAMPLE.splitlines()[start].strip(" #").split(":")[0] for start, _ in options()}
    assert {"alerts", "auth", "header", "hmac", "when", "proxy", "keep", "idempotency_header", "secret_key"} <= seen


def in_schema(schema, skip=()):
    "Every setting of a schema and of the groups in it."
    for name, field in schema.fields.items():
        if name not in skip:
            yield name
        inner = field.schema if isinstance(field, fields.Nested) else None
        inner = field._schema if isinstance(field, config_fields.Named) else inner
        inner = field.inner.schema if isinstance(field, fields.List) else inner
        yield from in_schema(inner, skip) if inner is not None else ()


def written(text):
    "Every key of the example, switched off or in force, also of groups on one line."
    return set(re.findall(r"(?:^|[\s{#])([a-z_0-9]+):(?=\s)", text, re.MULTILINE))


def test_every_setting_of_the_configuration_is_in_the_example():
    assert set(in_schema(config_schema.ConfigSchema(), skip=("include",))) - written(EXAMPLE) == set()


def shown():
    "The kinds that the example shows; any other tells its settings by `targets kinds`."
    return [kind for kind in kinds.names() if re.search(rf"\bkind: {kind}\b", EXAMPLE)]


def test_every_setting_of_every_kind_that_it_shows_is_in_the_example():
    assert {"csv", "rest", "qoyod"} <= set(shown())
    for kind in shown():
        names = set(in_schema(kinds.kind(kind).schema))
        assert names - written(EXAMPLE) == set(), kind


@pytest.mark.parametrize("refused", ["include: x"])
def test_what_the_example_leaves_out_is_not_built(tmp_path, refused):
    path = tmp_path / "config.yaml"
    path.write_text(f"{refused}\nsources: {{f: {{auth: {{path_token: a-path-token-of-the-tests}}}}}}\n")
    messages = [problem.message for problem in problems_of(examine(path, {}), str(path))]
    assert any(re.search("not built yet|reserved for a later version", message) for message in messages)


def test_fetch_is_explained():
    assert re.search(r"^    fetch: \{path: ", EXAMPLE, re.MULTILINE)
    assert "How one contact is read by its id" in EXAMPLE


def test_that_a_rung_needs_the_match_list_is_said():
    assert "must stand in the mapping's `match` list" in EXAMPLE


def asked(text):
    "The fields of the record that a configuration's rungs ask by."
    targets = YAML(typ="safe", pure=True).load(text)["targets"].values()
    rungs = [rung for target in targets for rung in target.get("find", ())]
    return {name for rung in rungs for name in re.findall(r"\{\{ record\.(\w+) \}\}", str(rung))}


@pytest.mark.parametrize("text", [EXAMPLE, prepare("rest", "k", "https://x.example.com", None).files[""]], ids=("example", "init"))  # fmt: skip
def test_what_rungs_ask_by_is_in_the_match_list_of_the_shipped_mapping(text):
    mapping = document.read((ROOT / "mappings" / "rest.yaml").read_text(), "rest.yaml")
    assert asked(text) == {"phone"}
    assert asked(text) <= set(mapping.match)


def commands():
    texts = {
        file.name: file.read_text() for file in (ROOT / "config.example.yaml", *(ROOT / "mappings").glob("*.yaml"))
    }
    texts |= {
        f"init {kind}": prepare(kind, "k", "https://x.example.com", None).files[""] for kind in ("csv", "rest", "qoyod")
    }
    found = [(where, words) for where, text in (texts | {"CHANGELOG.md": CHANGES}).items() for words in named(text)]
    return [pytest.param(words, id=f"{where}: {' '.join(words)}") for where, words in found]


@pytest.mark.parametrize("words", commands())
def test_every_command_that_a_document_names_exists(words):
    assert refuses(words) is None


def test_commands_are_found_in_documents():
    assert {"CHANGELOG.md: demo", "init csv: check"} <= {parameter.id for parameter in commands()}


def test_the_changelog_tells_what_is_not_released_yet():
    (section,) = re.findall(r"^## \[Unreleased\]\n(.*?)(?=^## |\Z)", CHANGES, re.MULTILINE | re.DOTALL)
    assert re.search(r"^### (Added|Changed|Fixed)\n\n- ", section, re.MULTILINE)


def test_no_document_names_a_place_of_one_machine():
    documents = [
        ROOT / "README.md",
        ROOT / "CHANGELOG.md",
        ROOT / "config.example.yaml",
        *Path(ROOT / "mappings").glob("*"),
    ]
    assert [file.name for file in documents if re.search(r"/(work|tmp|home|root)/", file.read_text())] == []


def test_rest_says_which_ways_of_proof_it_knows():
    ways = re.findall(r"^ +(?:# )?auth:(?: \{|\n +#? +)(\w+):", EXAMPLE.split("\ntargets:\n")[1], re.MULTILINE)
    assert set(ways) == set(rest_settings.AuthSettings().fields)
