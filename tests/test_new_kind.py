"""A new kind of target is one file, one mapping and one folder of samples: no list, no table, no other test is touched."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.installation import TESTS

ROOT = TESTS.parent
# Qoyod under another name stands for the new vendor: as an author would do it, but for the vendor's own ways.
NEW = {
    "connector/targets/vendors/qoyod.py": "connector/targets/vendors/acme.py",
    "mappings/qoyod.yaml": "mappings/acme.yaml",
    "tests/targets/vendors/qoyod/__init__.py": "tests/targets/vendors/acme/__init__.py",
    "tests/targets/vendors/qoyod/lab.py": "tests/targets/vendors/acme/lab.py",
}
# Every test that goes by the kinds there are, and by the documents that tell of them.
TESTED = (
    *("tests/targets/test_targets_conformance.py", "tests/targets/test_targets_kinds.py"),
    *("tests/targets/test_targets_presets.py", "tests/mapping/test_mapping_shipped.py"),
    *("tests/cli/test_cli_init.py", "tests/cli/test_cli_targets.py", "tests/test_documents.py"),
)


class Copy:
    "The sources in a folder of their own, and what runs there."

    def __init__(self, folder):
        self.folder = folder
        ignored = shutil.ignore_patterns("__pycache__", ".*_cache", ".git", ".venv", ".coverage*")
        for name in ("connector", "mappings", "tests"):
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        for name in ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "config.example.yaml"):
            shutil.copy(ROOT / name, folder)

    def python(self, *words, stdin="", cwd=None):
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTEST"))}
        return subprocess.run(
            [sys.executable, "-m", *words], input=stdin, cwd=cwd or self.folder, capture_output=True, text=True,
            env=environment | {"PYTHONPATH": str(self.folder)}, timeout=280, check=False,
        )  # fmt: skip


@pytest.fixture
def copy(tmp_path):
    "The sources with a new vendor among them."
    made = Copy(tmp_path / "sources")
    for ours, new in NEW.items():
        (made.folder / new).parent.mkdir(exist_ok=True)
        text = (ROOT / ours).read_text(encoding="utf-8")
        (made.folder / new).write_text(text.replace("qoyod", "acme").replace("Qoyod", "Acme"), encoding="utf-8")
    return made


@pytest.mark.slow
def test_a_new_kind_is_one_file_one_mapping_and_one_folder_of_samples(copy, tmp_path):
    described = json.loads(copy.python("connector", "targets", "kinds", "--json").stdout)
    assert "acme" in {row["kind"] for row in described}

    home = tmp_path / "home"
    home.mkdir()
    begun = copy.python("connector", "init", "acme", stdin="acme-key-0123456789\n", cwd=home)
    assert begun.returncode == 0, begun.stderr
    checked = copy.python("connector", "check", cwd=home)
    assert checked.returncode == 0, checked.stderr
    assert copy.python("connector", "mapping", "test", "acme", cwd=home).returncode == 0

    tested = copy.python("pytest", "-q", "-p", "no:cacheprovider", "-k", "acme or kind or every or there", *TESTED)
    assert tested.returncode == 0, tested.stdout[-3000:]
    conformance = copy.python("pytest", "-q", "--collect-only", "-k", "acme", TESTED[0]).stdout
    assert conformance.count("[acme") > 40, conformance[-1000:]


@pytest.mark.slow
def test_the_table_of_the_readme_is_printed_by_a_command(copy):
    test = ("pytest", "-q", "-p", "no:cacheprovider", "tests/test_readme.py", "-k", "table_of_targets")
    assert "run: python -m tests.test_readme" in copy.python(*test).stdout
    assert copy.python("tests.test_readme").returncode == 0
    assert copy.python(*test).returncode == 0
    assert "| `acme` | Acme |" in (copy.folder / "README.md").read_text(encoding="utf-8")
