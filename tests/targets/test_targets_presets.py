"""The vendors that are described in YAML: each description is whole, and its user's mistakes are named like any other."""

from dataclasses import replace
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from connector.config import TargetConfig
from connector.mapping.customers import CUSTOMERS
from connector.masking import Secret
from connector.models import Delivered
from connector.targets import kinds, presets
from connector.targets.presets import filled, preset
from connector.targets.rest import Rest
from tests.targets.conftest import BASE, SETTINGS, mounted
from tests.targets.lab import mapped, shipped

FILES = sorted(Path(presets.__file__).parent.glob("*.yaml"))
PARTS = {"label", "settings", "base_url", "pace", "form", "told"}
TOLD = {"match", "upsert", "limits", "auth", "twice", "proved"}

every = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def described(file):
    return YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))


def loaded(file, **more):
    return preset(file).schema.load(SETTINGS[file.stem](**more))


def said(name, **settings):
    config = TargetConfig("crm", name, settings, "config.yaml", {"": (3, 1), "api_key": (5, 5)})
    return [str(problem) for problem in kinds.problems(config)]


def test_there_are_some():
    assert {file.stem for file in FILES} >= {"wafeq", "daftra", "freshsales", "erpnext"}


@every
def test_a_description_says_all_that_there_is_to_say(file):
    of = described(file)
    assert set(of) <= PARTS
    assert TOLD - {"upsert"} <= set(of["told"]) <= TOLD
    assert all(len(how) == 1 and set(how) <= {"secret", "account"} for how in of["settings"].values())


@every
def test_it_opens_as_what_it_is(file):
    target = kinds.open_target(TargetConfig("crm", file.stem, SETTINGS[file.stem]()))
    assert (type(target), target.kind) == (Rest, file.stem)


@every
def test_every_blank_is_filled_and_what_is_secret_stays_so(file):
    settings = loaded(file)
    made = filled(described(file), settings)
    secret = made["auth"]["header"]["value"]
    assert isinstance(secret, Secret)
    assert all(settings[name] in secret for name, how in described(file)["settings"].items() if "secret" in how)
    assert "${" not in "".join(texts(made))


def texts(value):
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts(item)]
    if isinstance(value, list | tuple):
        return [text for item in value for text in texts(item)]
    return [str(value)]


@every
def test_what_its_user_says_of_the_way_there_counts(file):
    made = filled(described(file), loaded(file, timeout="3s", pace="5/1s", allow_private=True))
    assert [made[name] for name in ("base_url", "timeout", "pace", "allow_private")] == [BASE, 3.0, (5, 1.0), True]


@every
def test_without_a_word_it_keeps_below_the_limit(file):
    given = {name: value for name, value in SETTINGS[file.stem]().items() if name != "pace"}
    of = preset(file)
    assert of.schema.load(given)["pace"] == presets.Rate().deserialize(described(file)["pace"])
    assert described(file)["pace"].partition("/")[0] in of.limits


@every
def test_the_shipped_mapping_fits(mocked, file):
    "What is not valid is not asked by, and that is all there is to say."
    lab, mapping = mounted(file.stem, mocked), shipped(file.stem)
    assert lab.target.check([rule.target for rule in mapping.fields]).ok
    requests = [mapped(mapping, **customer) for customer in CUSTOMERS.values()]
    requests = [replace(request, idempotency_key=lab.keys(request.customer)) for request in requests]
    outcomes = lab.push_many(requests)
    assert [(type(outcome), outcome.how) for outcome in outcomes] == [(Delivered, "created")] * len(requests)
    assert [warning for outcome in outcomes for warning in outcome.warnings if "not looked up" not in warning] == []
    again = lab.push_many([replace(r, remote_id=o.remote_id) for r, o in zip(requests, outcomes, strict=True)])
    assert {outcome.how for outcome in again} == {"unchanged"}


def test_an_address_is_made_of_the_accounts_name():
    settings = kinds.kind("daftra").schema.load({"subdomain": "acme", "api_key": "k"})
    assert filled(described(FILES[0]), settings)["base_url"] == "https://acme.daftra.com/api2"


def test_an_address_that_is_the_same_for_all_is_a_default():
    assert kinds.kind("wafeq").schema.load({"api_key": "k"})["base_url"] == "https://api.wafeq.com/v1"


@pytest.mark.parametrize(
    ("name", "settings", "problem"),
    [
        ("wafeq", {}, "config.yaml:5:5: target crm: api_key: is missing"),
        ("wafeq", {"api_key": "two\nlines"}, "config.yaml:5:5: target crm: api_key: must be plain characters"),
        ("wafeq", {"api_key": "k", "api_kye": "k"}, "unknown key `api_kye`, did you mean `api_key`?"),
        ("wafeq", {"api_key": "k", "find": []}, "unknown key `find`"),
        ("daftra", {"api_key": "k"}, "subdomain: is missing"),
        ("daftra", {"api_key": "k", "subdomain": "acme.daftra.com"}, "must be the account's name alone"),
        ("erpnext", {"api_key": "k", "api_secret": "s"}, "base_url: is missing"),
        ("freshsales", {"api_key": "k", "subdomain": "a", "base_url": "ftp://x"}, "base_url: must be an address"),
    ],
)
def test_a_mistake_is_named_at_its_place(name, settings, problem):
    assert any(problem in line for line in said(name, **settings)), said(name, **settings)


def test_its_settings_are_told_as_those_of_any_kind():
    told = {kind["kind"]: kind for kind in kinds.describe()}["daftra"]
    settings = {setting["name"]: setting for setting in told["settings"]}
    assert (settings["api_key"]["secret"], settings["api_key"]["required"]) == (True, True)
    assert (settings["subdomain"]["secret"], settings["subdomain"]["required"]) == (False, True)
    assert settings["base_url"]["help"] == "https://ACCOUNT.daftra.com/api2"
    assert "find" not in settings


def test_a_blank_that_nobody_gives_is_a_mistake_of_ours():
    with pytest.raises(KeyError, match="subdomain"):
        filled(described(FILES[0]), {"base_url": None, "api_key": Secret("k")})
