import json
from pathlib import Path
from statistics import median

import pytest

from connector.config import TargetConfig
from connector.errors import ConfigError
from connector.targets import kinds
from connector.targets.base import Kind
from connector.targets.kinds import describe, kind, names, open_target, problems
from tests.targets.conftest import SETTINGS
from tests.targets.vendors.qoyod.lab import settings as qoyod_settings
from tests.targets.vendors.rest.lab import settings as rest_settings

GOOD = {"csv": {"path": "contacts.csv"}, **{name: settings() for name, settings in SETTINGS.items()}}


def target(of, settings, **where):
    return TargetConfig(
        "crm", of, settings, "config.yaml", {"": (3, 1), **{k.replace("__", "."): v for k, v in where.items()}}
    )


def said(of, settings, **where):
    return [str(problem) for problem in problems(target(of, settings, **where))]


@pytest.mark.parametrize("of", names())
def test_good_settings_open(of):
    assert said(of, GOOD[of]) == []
    opened = open_target(target(of, GOOD[of]))
    assert (opened.kind, opened.batch_size) == (of, kind(of).batch_size)
    assert opened.timeout > 0
    assert opened.uncertain_wait >= 0


def test_the_book_stands_beside_the_configuration(tmp_path):
    config = TargetConfig("book", "csv", {"path": "contacts.csv"}, str(tmp_path / "config.yaml"))
    assert open_target(config).account == str((tmp_path / "contacts.csv").resolve())
    absolute = TargetConfig("book", "csv", {"path": "/srv/contacts.csv"}, str(tmp_path / "config.yaml"))
    assert open_target(absolute).account == "/srv/contacts.csv"


@pytest.mark.parametrize(("of", "meant"), [("rset", "did you mean `rest`?"), ("zzz", "known: csv, rest, ")])
def test_an_unknown_kind(of, meant):
    (problem,) = said(of, {}, kind=(4, 5))
    assert problem.startswith("config.yaml:4:5: target crm: ")
    assert meant in problem


def test_a_proxy_is_taken():
    assert said("qoyod", qoyod_settings(proxy="http://user:pw@proxy.example.com:3128/")) == []


def test_a_target_with_mistakes_does_not_open():
    with pytest.raises(ConfigError, match="api_key: is missing"):
        open_target(target("qoyod", {}))


def test_a_mistake_is_named_at_its_place():
    settings = rest_settings(timeout="10", auth={"bearer": ""})
    found = said("rest", settings, timeout=(7, 5), auth__bearer=(9, 7))
    assert [problem.partition(" ")[0] for problem in found] == ["config.yaml:7:5:", "config.yaml:9:7:"]
    assert "with its unit" in found[0]


def test_a_mistake_without_a_place_stands_at_the_nearest():
    (problem,) = said("rest", rest_settings(find=[{"path": "/c"}]), find__0=(12, 9), find=(11, 5))
    assert problem == "config.yaml:12:9: target crm: find.0.match: is missing"


def oauth2(**changes):
    said = {"token_url": "https://crm.example.com/token", "client_id": "c", "client_secret": "s"} | changes
    return rest_settings(auth={"oauth2": said})


RUNG = {"path": "/c", "match": {"a": "{{ customer }}"}}
WRONG = [
    ("csv", {}, "path: is missing"),
    ("csv", {"path": "a.csv", "pth": 1}, "unknown key `pth`, did you mean `path`?"),
    ("qoyod", qoyod_settings(base_url="ftp://x"), "https://"),
    ("qoyod", qoyod_settings(base_url="https://user:pw@x.example.com"), "without ? # or @"),
    ("qoyod", qoyod_settings(base_url="https://x.example.com/?k=1"), "without ? # or @"),
    ("qoyod", qoyod_settings(base_url="https://"), "https://"),
    ("qoyod", qoyod_settings(api_key="two\nlines"), "copied whole"),
    ("qoyod", qoyod_settings(api_key="مفتاح"), "copied whole"),
    ("qoyod", qoyod_settings(api_key=12345), "put it in quotes"),
    ("qoyod", qoyod_settings(timeout="1h"), "between 50ms and 2m"),
    ("qoyod", qoyod_settings(pace="fast"), "300/1m"),
    ("qoyod", qoyod_settings(pace="0/1m"), "300/1m"),
    ("qoyod", qoyod_settings(pace="5/soon"), "300/1m"),
    ("qoyod", qoyod_settings(proxy="proxy.example.com"), "3128"),
    ("qoyod", qoyod_settings(allow_private="maybe"), "true or false"),
    ("rest", rest_settings(auth={"oauth2": {}}), "auth.oauth2.client_id: is missing"),
    ("rest", rest_settings(auth={"oauth2": {"client_id": "c"}}), "auth.oauth2.token_url: is missing"),
    ("rest", rest_settings(auth={"oauth2": {"client_id": "c"}}), "auth.oauth2.client_secret: is missing"),
    ("rest", oauth2(token_url="crm.example.com"), "begins with https://"),
    ("rest", oauth2(grant="password"), "must be one of: client_credentials, refresh_token, jwt_bearer"),
    ("rest", oauth2(grant="refresh_token"), "auth.oauth2.refresh_token: is missing; refresh_token needs it"),
    ("rest", oauth2(grant="jwt_bearer"), "auth.oauth2.private_key: is missing"),
    ("rest", oauth2(grant="jwt_bearer", private_key="no key", username="u"), "an RSA private key in PEM"),
    ("rest", oauth2(client_auth="query"), "must be one of: body, basic"),
    ("rest", oauth2(client_id="two\nlines"), "copied whole"),
    ("rest", oauth2(scop="x"), "did you mean `scope`?"),
    ("rest", rest_settings(auth={}), "one of bearer"),
    ("rest", rest_settings(auth={"bearer": "a", "header": {"name": "X", "value": "y"}}), "one of bearer"),
    ("rest", rest_settings(auth="token"), "must be a group"),
    ("rest", rest_settings(auth={"header": {"name": "X Y", "value": "y"}}), "is not a name"),
    ("rest", rest_settings(create={"path": "contacts"}), "begins with /"),
    ("rest", rest_settings(create={"path": "/c?x=1"}), "no ? or #"),
    ("rest", rest_settings(create={"path": "/a b"}), "plain characters"),
    ("rest", rest_settings(create={"path": "/c/{{ remote_id }}"}), "not known yet"),
    ("rest", rest_settings(create={"path": "/c/{{ user.name }}"}), "cannot fill {{ user.name }}"),
    ("rest", rest_settings(create={"path": "/c", "method": "DELETE"}), "one of"),
    ("rest", {k: v for k, v in rest_settings().items() if k != "create"}, "create: is missing"),
    ("rest", {k: v for k, v in rest_settings().items() if k != "update"}, "update: is missing"),
    ("rest", {k: v for k, v in rest_settings().items() if k != "find"}, "at_most_once: true"),
    ("rest", rest_settings(find=[{"path": "/c", "match": {}}]), "find.0.match: names no field"),
    ("rest", rest_settings(find=[{"path": "/c", "match": "phone"}]), "find.0.match: must be a group"),
    ("rest", rest_settings(find=[{"path": "/c", "match": {"a": 5}}]), "find.0.match.a: must be text"),
    ("rest", rest_settings(find="/c"), "find: must be a list"),
    ("rest", rest_settings(find=None), "find: is empty"),
    ("rest", rest_settings(auth={"header": {"name": "X", "value": "two\nlines"}}), "auth.header.value: must be plain"),
    ("rest", rest_settings(find=[{"path": "/c", "match": {"a": "{{ customer"}}]), "other half"),
    ("rest", rest_settings(idempotency_header="Content-Length"), "Idempotency-Key"),
    (
        "rest",
        rest_settings(find=[RUNG | {"query": {"q": ["{{ user.name }}"]}}]),
        "query.q: cannot fill {{ user.name }}",
    ),
    ("rest", rest_settings(find=[RUNG | {"query": {"q": {"a": "{{ remote_id }}"}}}]), "not known yet"),
    ("rest", rest_settings(find=[RUNG | {"match": {"a": ["{{ customer }}"]}}]), "find.0.match.a: must be text"),
    ("rest", rest_settings(find=[RUNG | {"page": {"size": 5}}]), "find.0.page.param: is missing"),
    (
        "rest",
        rest_settings(find=[RUNG | {"page": {"param": "p", "size_param": "s"}}]),
        "page.size: is missing; say how",
    ),
    ("rest", rest_settings(find=[RUNG | {"search": "maybe"}]), "find.0.search: must be true or false"),
    ("rest", rest_settings(create={"path": "/c", "beside": "x", "envelope": "c"}), "create.beside: must be a group"),
    ("rest", rest_settings(create={"path": "/c", "beside": {"a": "b"}}), "create.envelope: is missing; with `beside`"),
    ("rest", rest_settings(errors={"status": 409, "means": "exists"}), "errors: must be a list"),
    ("rest", rest_settings(errors=[{"means": "exists"}]), "errors.0: must say by which"),
    ("rest", rest_settings(errors=[{"status": 409, "means": "twin"}]), "errors.0.means: must be one of: exists, busy"),
    ("rest", rest_settings(errors=[{"status": 99, "means": "busy"}]), "errors.0.status: must be a whole number"),
    ("rest", rest_settings(errors=[{"status": 400, "means": "invalid"}]), "errors.0.field: is missing"),
    ("rest", rest_settings(errors=[{"status": 400, "means": "busy", "wait": "5"}]), "with its unit"),
    ("rest", rest_settings(success={"path": "ok"}), "success.equals: is missing"),
    ("rest", rest_settings(field_list={"path": "/f/{{ customer }}"}), "not known yet"),
]


@pytest.mark.parametrize(("of", "settings", "words"), WRONG)
def test_bad_settings_are_named_with_the_cure(of, settings, words):
    assert any(words in problem for problem in said(of, settings)), said(of, settings)


def test_no_problem_shows_a_secret():
    assert "s3cr3t" not in "".join(said("qoyod", qoyod_settings(api_key="s3cr3t\n")))


def test_kinds_describe_themselves_as_data():
    described = {each["kind"]: each for each in json.loads(json.dumps(describe()))}
    assert list(described) == list(names())
    settings = {setting["name"]: setting for setting in described["qoyod"]["settings"]}
    assert settings["api_key"] == {
        "name": "api_key",
        "required": True,
        "secret": True,
        "help": "from Qoyod: Settings, General Settings, Generate New Key",
    }
    assert all(setting["help"] for each in described.values() for setting in each["settings"])


def test_every_kind_has_a_laboratory():
    assert set(names()) <= GOOD.keys()  # one may have several


def test_a_kind_is_a_short_file():
    "What two vendors share is in connector/targets, and what is a room of its own has a file of its own there."
    here = Path(kinds.__file__).parent
    files = [here / "csv.py", here / "rest.py", *here.glob("vendors/[a-z]*.py"), *here.glob("presets/*.yaml")]
    lines = [len(file.read_text(encoding="utf-8").splitlines()) for file in files]
    assert len(lines) == len(names())
    assert median(lines) < 150
    assert max(lines) < 250


class Point:
    "An entry point of another package."

    value = "other.package:KIND"

    def __init__(self, name, found):
        self.name, self.found = name, found

    def load(self):
        return self.found


@pytest.fixture
def brought(monkeypatch):
    def bring(found):
        points = [Point("other", found)]
        monkeypatch.setattr("connector.targets.kinds.entry_points", lambda **_: points)
        names.cache_clear()
        kind.cache_clear()

    yield bring
    names.cache_clear()
    kind.cache_clear()


def test_another_package_brings_a_kind(brought):
    mine = kind("csv")
    brought(mine)
    assert names()[-1] == "other"
    assert kind("other") is mine
    assert isinstance(kind("other"), Kind)


def test_what_another_package_brings_must_be_a_kind(brought):
    brought("no kind")
    with pytest.raises(KeyError, match=r"other.package:KIND is not a Kind"):
        kind("other")


SITES = {
    "dynamics": "/main.aspx?pagetype=entityrecord&etn=contact&id=",
    "espocrm": "/#Contact/view/",
    "odoo": "/web#id=",
    "pipedrive": "https://app.pipedrive.com/person/",
    "quickbooks": "qbo.intuit.com/app/customerdetail?nameId=",
    "salesforce": "/",
    "xero": "https://go.xero.com/Contacts/View/",
    "zoho_books": "#/contacts/",
    "zoho_crm": "/crm/tab/Contacts/",
}


@pytest.mark.parametrize("of", names())
def test_a_record_has_an_address_where_the_vendors_is_known(of):
    region = {"region": "ca"} if of.startswith("zoho_") else {}
    address = kinds.record_url(target(of, GOOD[of] | region), "7 &/<")
    assert (address is None) == (of not in SITES)
    if address is not None:
        assert address.startswith(("https://", "http://127.0.0.1"))
        assert f"{SITES[of]}7%20%26%2F%3C" in address
        assert "zohocloud.ca" in address or not region


def test_a_record_of_a_kind_that_is_gone_has_no_address():
    assert kinds.record_url(target("nonsense", {}), "7") is None
