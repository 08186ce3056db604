"""config.yaml: every problem at once, each with file:line:col and the cure."""

import os
from pathlib import Path

import pytest

from connector import config
from connector.errors import ConfigError
from connector.masking import Secret

HEAD = "sources: {flavours: {auth: {path_token: a-token-of-sixteen-or-more}}}\n"
TARGET = "targets: {contacts: {kind: csv, path: contacts.csv}}\n"
SYNC = "syncs: {a: {source: flavours, actions: [customers.CREATE], mapping: csv, target: contacts}}\n"
WHOLE = HEAD + TARGET + SYNC


@pytest.fixture
def folder(tmp_path, monkeypatch):
    "A folder with one mapping, and the working directory of the test."
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "csv.yaml").write_text("version: 1\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(text, **env):
    Path("config.yaml").write_bytes(text.encode() if isinstance(text, str) else text)
    return config.load(Path("config.yaml"), env)


def problems(text, **env):
    with pytest.raises(ConfigError) as caught:
        load(text, **env)
    return [str(problem) for problem in caught.value.problems]


WRONG = {
    "empty": ("", "1:1: is empty; `connector init` writes a configuration to begin with"),
    "only a comment": ("# later\n", "1:1: is empty; `connector init` writes a configuration to begin with"),
    "a list": ("- a\n", "1:1: must be a group of settings, each on a line of its own"),
    "a text": ("hello\n", "1:1: must be a group of settings, each on a line of its own"),
    "no sources": (TARGET, "1:1: sources: is missing"),
    "empty sources": ("sources:\n", "1:1: sources: is empty; fill it, or delete the line"),
    "not YAML": ("a: [1\nb: 2\n", "2:2: is not YAML: expected ',' or ']', but got ':'"),
    "a tab": ("a:\n\tb: 1\n", "2:1: is not YAML: found character '\\t' that cannot start any token"),
    "a control character": ("a: 1\nb: \x01\n", "2:4: holds an invisible control character; delete it"),
    "two documents": (WHOLE + "---\na: 1\n", "4:1: is not YAML: but found another document"),
    "not UTF-8": (b"a: \xff\n", "1:1: is not UTF-8 (byte 4); save it as UTF-8"),
    "duplicate key": (WHOLE + "database: sqlite:///a\ndatabase: sqlite:///b\n", "5:1: duplicate key `database`; delete one"),
    "on:": (WHOLE + "on: push\n", "4:1: unknown key `on` (known: "),
    "a tag": (WHOLE + "secret_key: !env x\n", "4:13: tags (`!`) are not used here; put the text in quotes"),
    "a key that is a number": (WHOLE + "1: x\n", "4:1: a key must be text; put it in quotes"),
    "unknown key": (WHOLE + "databse: sqlite:///x\n", "4:1: unknown key `databse`, did you mean `database`?"),
    "unknown nested key": (WHOLE + "server:\n  prot: 8080\n", "5:3: unknown key `prot`, did you mean `port`?"),
    "include": (WHOLE + "include: merchants/*.yaml\n", "4:1: include: is reserved for a later version; delete it"),
    "unset variable": (WHOLE + 'server: {host: "${HOST}"}\n', "4:16: the environment variable `HOST` is not set"),
    "missing file": (WHOLE + 'secret_key: "${file:no/key}"\n', "4:13: the file `no/key` cannot be read: No such file or directory"),
    "file of bytes": (WHOLE + 'secret_key: "${file:bytes}"\n', "4:13: the file `bytes` is not UTF-8 text"),
    "open brace": (WHOLE + 'secret_key: "a${b"\n', "4:13: `${` is not ${VAR}, ${VAR:-default} or ${file:path}; write $${ for ${"),
    "odd name": (WHOLE + 'secret_key: "${A B}"\n', "4:13: `${A B}` is not ${VAR}, ${VAR:-default} or ${file:path}; write $${ for ${"),
    "port": (WHOLE + "server: {port: 65536}\n", "4:10: server.port: must be a whole number from 0 to 65535"),
    "port of 5,000 digits": (WHOLE + f"server: {{port: {'9' * 5000}}}\n", "4:10: server.port: must be a whole number from 0 to 65535"),
    "port as a word": (WHOLE + "server: {port: http}\n", "4:10: server.port: must be a whole number from 0 to 65535"),
    "server is a text": (WHOLE + "server: local\n", "4:1: server: must be a group of settings, each on a line of its own"),
    "host is a number": (WHOLE + "server: {host: 127}\n", "4:10: server.host: must be text; put it in quotes"),
    "host is empty": (WHOLE + 'server: {host: " "}\n', "4:10: server.host: must be text, and not empty"),
    "public_url": (WHOLE + "server: {public_url: hooks.example.com}\n", "4:10: server.public_url: must be an address that begins with https://, as in https://hooks.example.com"),
    "public_url with a bad port": (WHOLE + "server: {public_url: 'https://a:x'}\n", "4:10: server.public_url: must be an address that begins"),
    "public_url with a query": (WHOLE + "server: {public_url: 'https://a/?b=1'}\n", "4:10: server.public_url: must be an address that begins"),
    "trusted_proxy": (WHOLE + "server: {trusted_proxy: localhost}\n", "4:10: server.trusted_proxy: must be the proxy's IP address, as in 127.0.0.1"),
    "lease": (WHOLE + "worker: {lease: 1s}\n", "4:10: worker.lease: must be at least 2s"),
    "a duration without unit": (WHOLE + "worker: {lease: 60}\n", "4:10: worker.lease: must be a duration with its unit, as in 200ms, 5s, 10m, 6h, 3d"),
    "push_threads": (WHOLE + "worker: {push_threads: 0}\n", "4:10: worker.push_threads: must be a whole number from 1 to 128"),
    "retry": (WHOLE + "retry: {first_wait: 2h, longest_wait: 1h}\n", "4:9: retry.first_wait: must not be longer than retry.longest_wait"),
    "keep": (WHOLE + "keep: {bodies: 3y}\n", "4:1: keep.ledger: must not be shorter than keep.bodies"),
    "alerts": (WHOLE + "alerts: {}\n", "4:1: alerts.url: is missing"),
    "admin": (WHOLE + "admin: {enabled: perhaps}\n", "4:9: admin.enabled: must be true or false"),
    "postgresql without a name": (WHOLE + "database: postgresql+psycopg://u:geheim@x\n", "4:1: database: is not an address of PostgreSQL; write postgresql+psycopg://user:password@host/database"),
    "postgresql by another driver": (WHOLE + "database: postgresql+asyncpg://x/y\n", "4:1: database: is not an address of PostgreSQL"),
    "postgresql with a port that is none": (WHOLE + "database: postgresql://u:a/b@x:y/z\n", "4:1: database: is not an address of PostgreSQL"),
    "postgresql with an open password": (WHOLE + "database: postgresql://x/y?password=geheim\n", "4:1: database: holds the password after the `?`"),
    "another database": (WHOLE + "database: mysql://x\n", "4:1: database: is not a database that this program knows; use sqlite:///"),
    "memory": (WHOLE + "database: 'sqlite:///:memory:'\n", "4:1: database: is not a database that this program knows"),
    "no auth": ("sources: {flavours: {auth: {}}}\n", "1:22: sources.flavours.auth: names no proof of the sender; give it a path_token"),
    "auth missing": ("sources: {flavours: {}}\n", "1:11: sources.flavours.auth: is missing"),
    "auth empty": ("sources:\n  flavours:\n    auth:\n", "3:5: sources.flavours.auth: is empty; fill it, or delete the line"),
    "source is a text": ("sources: {flavours: x}\n", "1:11: sources.flavours: must be a group of settings, each on a line of its own"),
    "sources is a list": ("sources: [a]\n", "1:1: sources: must be a group: a name on the left, its settings under it"),
    "source's name": ("sources: {fla vours: {auth: {path_token: a-token-of-sixteen-or-more}}}\n", "1:11: sources.fla vours: is not a name: up to 64 of A–Z a–z 0–9 _ -"),
    "short token": ("sources: {f: {auth: {path_token: short}}}\n", "1:22: sources.f.auth.path_token: must be 16 to 64 characters of A–Z a–z 0–9 _ -"),
    "second token": ("sources: {f: {auth: {path_token: [a-token-of-sixteen-or-more, 'b/c']}}}\n", "1:63: sources.f.auth.path_token.1: must be 16 to 64 characters of A–Z a–z 0–9 _ -"),
    "no tokens": ("sources: {f: {auth: {path_token: []}}}\n", "1:22: sources.f.auth.path_token: is an empty list; give at least one token"),
    "token as a number": ("sources: {f: {auth: {path_token: 1234567890123456}}}\n", "1:22: sources.f.auth.path_token: must be text; put it in quotes"),
    "header's name": ("sources: {f: {auth: {header: {name: 'a b', value: x}}}}\n", "1:31: sources.f.auth.header.name: is not a header's name"),
    "hmac": ("sources: {f: {auth: {hmac: {header: X-S, secret: s, algorithm: md5}}}}\n", "1:53: sources.f.auth.hmac.algorithm: must be one of: sha256, sha1, sha512"),
    "rejected_status": ("sources: {f: {auth: {path_token: a-token-of-sixteen-or-more}, rejected_status: 404}}\n", "1:63: sources.f.rejected_status: must be one of: 200, 202, 400, 422"),
    "no kind": (HEAD + "targets: {a: {path: x}}\n", "2:11: targets.a.kind: is missing"),
    "unknown source": (HEAD + TARGET + SYNC.replace("source: flavours", "source: flavors"), "3:13: there is no source `flavors`, did you mean `flavours`?"),
    "unknown target": (HEAD + TARGET + SYNC.replace("target: contacts", "target: crm"), "3:74: there is no target `crm` (known: contacts)"),
    "unknown mapping": (HEAD + TARGET + SYNC.replace("mapping: csv", "mapping: cvs"), "3:60: there is no mapping file "),
    "mapping outside": (HEAD + TARGET + SYNC.replace("mapping: csv", "mapping: ../csv"), "3:60: syncs.a.mapping: must be the name of a file in the mappings folder, without .yaml"),
    "another action": (HEAD + TARGET + SYNC.replace("customers.CREATE", "order.delivery.created"), "3:41: syncs.a.actions.0: is not an action about customers"),
    "archive": (HEAD + TARGET + SYNC.replace("target: contacts", "target: contacts, on_delete: archive"), "3:92: syncs.a.on_delete: must be skip; archive is not built yet"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_config_is_told_by_its_place(folder, name):
    text, expected = WRONG[name]
    (folder / "bytes").write_bytes(b"\xff")
    found = problems(text)
    assert len(found) == 1, found
    assert found[0].startswith(f"config.yaml:{expected}")


def test_all_problems_come_at_once_in_the_order_of_the_file(folder):
    text = HEAD + 'server: {port: x, host: "${NO}"}\nworker: {lease: 0s}\nfoo: 1\n'
    assert [line.split(" ")[0] for line in problems(text)] == [
        "config.yaml:2:10:",
        "config.yaml:2:25:",
        "config.yaml:3:10:",
        "config.yaml:4:1:",
    ]


def test_a_file_that_is_not_there_names_the_cure(folder):
    with pytest.raises(ConfigError, match=r"^nowhere\.yaml:1:1: there is no such file; `connector init` writes one"):
        config.load(Path("nowhere.yaml"), {})


def test_a_folder_that_no_store_can_be_in(folder):
    (folder / "a?").mkdir()
    (folder / "a?" / "config.yaml").write_text(HEAD)
    with pytest.raises(ConfigError, match="holds a `\\?`, which no store can have; move it"):
        config.load(Path("a?/config.yaml"), {})


def test_a_folder_in_the_place_of_the_file(folder):
    with pytest.raises(ConfigError, match="mappings:1:1: cannot be read: Is a directory"):
        config.load(Path("mappings"), {})


@pytest.mark.parametrize("text", ["[" * 600 + "]" * 600, "a: &a [*a]\n", "a: " + "[" * 31 + "]" * 31])
def test_nesting_without_end_is_refused(folder, text):
    assert len(problems(text)) == 1
    assert "is nested too deeply" in problems(text)[0]


def test_an_alias_bomb_is_refused_quickly(folder):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    assert "far too long" in problems("\n".join(lines))[0]


def test_defaults(folder):
    made = load(WHOLE)
    assert made.database == f"sqlite:///{folder}/connector.db"
    assert made.mappings == folder / "mappings"
    assert (made.server.host, made.server.port, made.worker.lease) == ("127.0.0.1", 8080, 60.0)
    assert (made.retry.give_up_after, made.keep_bodies, made.keep_ledger) == (14 * 86400, 90 * 86400, 730 * 86400)
    assert made.alert_url is None
    assert made.sources["flavours"].rejected_status == 422


def test_the_whole_of_what_is_accepted(folder):
    text = """\
database: sqlite:////var/lib/connector.db
mappings: mappings
server: {host: 0.0.0.0, port: 80, public_url: https://hooks.example.com/, trusted_proxy: "::1"}
secret_key: [a, b]
admin: {enabled: true}
alerts: {url: https://chat.example.com/hook?sig=1}
keep: {bodies: 1d, ledger: 1w}
retry: {give_up_after: 3d, first_wait: 200ms, longest_wait: 6h}
worker: {push_threads: 2, lease: 2s}
sources:
  flavours:
    rejected_status: 202
    auth:
      path_token: [a-token-of-sixteen-or-more, another-token-of-sixteen]
      header: {name: Authorization, value: [Bearer a, Bearer b]}
      hmac: {header: X-Signature, secret: s, algorithm: sha512, encoding: base64, prefix: "sha512="}
targets: {contacts: {kind: csv, path: contacts.csv}}
syncs: {a: {source: flavours, actions: customers.*, mapping: csv, target: contacts, when: crn, observe: true, on_delete: skip}}
"""
    made = load(text)
    source, sync = made.sources["flavours"], made.syncs["a"]
    assert made.database == "sqlite:////var/lib/connector.db"
    assert made.server.public_url == "https://hooks.example.com"
    assert (made.retry.first_wait, made.worker.push_threads, made.keep_ledger) == (0.2, 2, 604800)
    assert source.path_tokens == ("a-token-of-sixteen-or-more", "another-token-of-sixteen")
    assert source.header.values == ("Bearer a", "Bearer b")
    assert (source.hmac.secrets, source.hmac.prefix, source.hmac.encoding) == (("s",), "sha512=", "base64")
    assert (sync.actions, sync.when, sync.observe, sync.where) == (("customers.*",), "crn", True, (18, 9))


def test_secrets_do_not_show_themselves(folder):
    made = load(WHOLE + 'alerts: {url: "${U}"}\n', U="https://chat.example.com/s3cr3t")
    assert made.alert_url == "https://chat.example.com/s3cr3t"
    assert "s3cr3t" not in repr(made)
    assert "a-token-of-sixteen" not in repr(made.sources)


def test_what_is_put_into_a_targets_settings_is_a_secret(folder):
    text = HEAD + 'targets:\n  crm: {kind: rest, auth: {bearer: "x${K}"}, path: plain, n: 3}\n'
    target = load(text, K="k3y").targets["crm"]
    assert target.settings == {"auth": {"bearer": "xk3y"}, "path": "plain", "n": 3}
    assert type(target.settings["auth"]["bearer"]) is Secret
    assert type(target.settings["path"]) is str
    assert target.where["auth.bearer"] == (3, 28)
    assert target.where[""] == (3, 3)
    assert target.file == "config.yaml"


def test_interpolation(folder):
    (folder / "key").write_text("from a file\r\n")
    target = 'targets: {a: {kind: x, a: "${A}-${B:-b}", b: "$${A}", c: "${file:key}", d: "${E:-}", e: "$A $$"}}\n'
    settings = load(HEAD + target, A="1", E="").targets["a"].settings
    assert settings == {"a": "1-b", "b": "${A}", "c": "from a file", "d": "", "e": "$A $$"}


def test_a_number_may_come_from_the_environment(folder):
    text = (
        WHOLE
        + 'server: {port: "${PORT}"}\nworker: {lease: "${LEASE:-3s}"}\nadmin: {enabled: "${YES}"}\nsecret_key: k\n'
    )
    made = load(text, PORT="9090", YES="true")
    assert (made.server.port, made.worker.lease) == (9090, 3.0)


def test_relative_paths_start_at_the_file(folder):
    (folder / "inner").mkdir()
    (folder / "inner" / "config.yaml").write_text(HEAD + "database: sqlite:///data/c.db\nmappings: m\n")
    made = config.load(Path("inner/config.yaml"), {})
    assert made.database == f"sqlite:///{folder}/inner/data/c.db"
    assert made.mappings == folder / "inner" / "m"


def test_a_secret_file_that_cannot_be_read_is_a_problem(folder):
    (folder / "secrets").mkdir()
    assert problems(WHOLE + 'secret_key: "${file:secrets}"\n') == [
        "config.yaml:4:13: the file `secrets` cannot be read: Is a directory"
    ]


def test_an_unset_value_does_not_hide_the_rest(folder):
    reading = config.examine(_written(HEAD + 'targets: {a: {kind: rest, base_url: "${NO}"}}\n'), {})
    assert [problem.line for problem in reading.problems] == [2]
    assert reading.config.targets["a"].settings["base_url"] == ""
    assert reading.unset == {(2, 27)}


@pytest.mark.parametrize(
    "line",
    [
        'sources: {f: {auth: {path_token: "${NO}"}}}\n',
        'sources: {f: {auth: {path_token: ["${NO}"]}}}\n',
        HEAD + 'server: {public_url: "${NO}", trusted_proxy: 127.0.0.1}\n',
        HEAD + 'alerts: {url: "${NO}"}\n',
        HEAD + TARGET + SYNC.replace("source: flavours", 'source: "${NO}"'),
        HEAD + TARGET + SYNC.replace("mapping: csv", 'mapping: "${NO}"'),
        HEAD + 'targets: {a: {kind: "${NO}"}}\n',
        HEAD + 'database: "${NO}"\n',
    ],
)
def test_an_unset_value_is_reported_once(folder, line):
    reading = config.examine(_written(line), {})
    assert [problem.message for problem in reading.problems] == ["the environment variable `NO` is not set"]
    assert reading.config is not None


def _written(text):
    Path("config.yaml").write_text(text)
    return Path("config.yaml")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("200ms", 0.2), ("5s", 5), ("1.5s", 1.5), ("10m", 600), ("6h", 21600), ("3d", 259200), ("1w", 604800), (" 2y ", 63072000)],
)  # fmt: skip
def test_durations(text, seconds):
    assert config.duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "s", "-5s", "5 minutes", "1e3s", "5S", "٥s", "9" * 400 + "d"])
def test_what_is_no_duration(text):
    with pytest.raises(ValueError, match="must be a duration with its unit, as in 200ms"):
        config.duration(text)


def test_the_environment_is_a_parameter(folder, monkeypatch):
    monkeypatch.setenv("HOST_OF_TEST", "example.com")
    assert problems(WHOLE + 'server: {host: "${HOST_OF_TEST}"}\n')
    assert load(WHOLE + 'server: {host: "${HOST_OF_TEST}"}\n', **os.environ).server.host == "example.com"
