"""check: everything that is wrong, at once, by its place."""

import json
import re
import shutil

from connector.bundled import bundled


def edit(home, *changes):
    path = home.folder / "config.yaml"
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


def lines(home):
    result = home("check")
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    return result.stderr.splitlines()


def test_what_is_right(home):
    assert home("check").output == "config.yaml is right: 1 source, 1 target, 1 sync\n"
    checked = home.json("check")
    assert [checked[key] for key in ("ok", "problems", "online")] == [True, [], []]
    assert [(one["mapping"], one["hash"], one["problems"]) for one in checked["mappings"]] == [("csv", None, 0)]
    assert checked["lost"] == {}


def test_what_a_mapping_loses_is_a_note_and_no_problem(home):
    path = home.folder / "mappings" / "csv.yaml"
    path.write_text(re.sub(r"^ignore: .*|^  language: .*", "", path.read_text(), flags=re.MULTILINE))
    result = home("check")
    lost = home.json("check")["lost"]["csv"]
    assert {"gender", "user.lang"} <= set(lost)
    told = f"mapping csv: loses {', '.join(lost)}; see `connector mapping coverage csv`"
    assert (result.exit_code, result.stdout.splitlines()[1]) == (0, told)


def test_a_mapping_that_cannot_be_read_loses_nothing_yet(home):
    (home.folder / "mappings" / "csv.yaml").write_text("version: 1\n")
    assert home.json("check", code=2)["lost"] == {}


def test_the_example_lists_what_is_missing(cli):
    shutil.copy(bundled("config.example.yaml"), cli.folder)
    shutil.copytree(bundled("mappings"), cli.folder / "mappings")
    result = cli("check", "--config", "config.example.yaml")
    assert result.exit_code == 2
    where = [line.split(": ", 1) for line in result.stderr.splitlines()]
    assert [message for _, message in where] == [
        "the file `secrets/flavours_path_token` cannot be read: No such file or directory",
        "the environment variable `QOYOD_API_KEY` is not set",
        "the environment variable `CRM_URL` is not set",
        "the environment variable `CRM_TOKEN` is not set",
    ]


def test_the_example_is_right_once_it_is_filled(cli):
    shutil.copy(bundled("config.example.yaml"), cli.folder)
    shutil.copytree(bundled("mappings"), cli.folder / "mappings")
    (cli.folder / "secrets").mkdir()
    (cli.folder / "secrets" / "flavours_path_token").write_text("a-path-token-of-the-tests\n")
    env = {"QOYOD_API_KEY": "k", "CRM_URL": "https://crm.example.com", "CRM_TOKEN": "t"}
    result = cli("check", "--config", "config.example.yaml", env=env)
    assert result.output == "config.example.yaml is right: 1 source, 3 targets, 3 syncs\n"


def test_an_unknown_kind(home):
    edit(home, ("kind: csv", "kind: cvs"))
    assert lines(home)[0].startswith("config.yaml:5:")
    assert "csv" in lines(home)[0]


def test_a_mapping_for_another_kind(home):
    shutil.copy(bundled("mappings") / "rest.yaml", home.folder / "mappings")
    edit(home, ("mapping: csv", "mapping: rest"))
    assert lines(home) == [
        "config.yaml:7:3: the mapping `rest` is for rest, the target `crm` is csv; choose another mapping or target"
    ]


def test_a_wrong_mapping_and_a_wrong_condition_together(home):
    (home.folder / "mappings" / "csv.yaml").write_text("version: 1\nkind: csv\nfields: {a: user.nmae}\n")
    edit(home, ("target: crm}", "target: crm, when: crn ==}"))
    mapping, sync = lines(home)
    assert mapping.split(":")[0].endswith("csv.yaml")
    assert "did you mean `user.name`?" in mapping
    assert sync.startswith("config.yaml:7:3: `crn ==`: cannot be read")


def test_a_sync_without_its_target_is_one_problem(home):
    edit(home, ("target: crm}", "target: cmr}"))
    assert [line.split(" ", 1)[1] for line in lines(home)] == ["there is no target `cmr`, did you mean `crm`?"]


def test_a_mapping_that_is_not_there_is_one_problem(home):
    edit(home, ("mapping: csv", "mapping: cvs"))
    (line,) = lines(home)
    assert line.startswith("config.yaml:7:61: there is no mapping file ")
    assert line.endswith("cvs.yaml, did you mean `csv`?")


def test_a_mapping_that_is_no_text(home):
    (home.folder / "mappings" / "csv.yaml").write_bytes(b"\xff")
    assert "csv.yaml:1:1: is not UTF-8 text; save it as UTF-8" in lines(home)[0]


def test_problems_in_json_too(home):
    edit(home, ("path: contacts.csv", 'path: "${NO}"'))
    result = home("check", "--json")
    assert result.exit_code == 2
    (problem,) = json.loads(result.stdout)["problems"]
    assert (problem["line"], problem["message"]) == (5, "the environment variable `NO` is not set")
    assert "config.yaml:5:" in result.stderr


def test_serve_and_worker_refuse_it_too(home):
    edit(home, ("kind: csv", "kind: cvs"))
    for command in ("serve", "worker"):
        run = home.process(command)
        assert run.returncode == 2
        assert run.stderr.startswith("config.yaml:5:")
        assert "Traceback" not in run.stderr


def test_online_asks_the_targets(home):
    result = home("check", "--online")
    assert result.exit_code == 0
    assert "target crm: good" in result.output
    assert "server.public_url is not set: nothing was asked" in result.output


def test_online_a_target_that_fails(home):
    (home.folder / "contacts.csv").mkdir()
    assert home.json("check", "--online", code=1)["ok"] is False


def public(home, url):
    edit(home, ("server: {", f"server: {{public_url: '{url}', "))


def test_online_the_public_address_leads_elsewhere(home, elsewhere):
    public(home, elsewhere)
    result = home("check", "--online")
    assert result.exit_code == 1
    assert f"{elsewhere} answers 404 for source flavours" in result.output


def test_online_nobody_answers(home):
    public(home, "http://127.0.0.1:9")
    result = home("check", "--online")
    assert result.exit_code == 1
    assert "does not answer (ConnectionError)" in result.output


def test_online_the_public_address_is_ours(door):
    from connector.cli import send
    from tests.cli.test_cli_send import _config

    public(door, send.local(_config()))
    result = door("check", "--online")
    assert result.exit_code == 0
    assert "leads to this door" in result.output
