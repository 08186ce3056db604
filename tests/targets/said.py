"""What the kinds of target say while they are tested: whatever it is, the admin pages know it in Arabic, too."""

import sys

import pytest

from connector.errors import TargetError
from connector.targets.base import Check
from tests.web.admin.arabic import translated

HALVES = {"connector.targets.book"}  # what it says has the file's path in front before a person sees it


@pytest.fixture(autouse=True)
def known_in_arabic(monkeypatch):
    "Hear what a test's targets say of themselves, and fail for a sentence that core.ar.yaml does not have."
    heard, theirs, plain = set(), set(), Check.__init__

    def error(self, said="", *_, **__):
        Exception.__init__(self, said)
        (heard if _ours() else theirs).add(str(said))

    def check(self, ok, lines):
        plain(self, ok, lines)
        heard.update(lines)

    monkeypatch.setattr(TargetError, "__init__", error)
    monkeypatch.setattr(Check, "__init__", check)
    yield
    missing = [said for said in heard - theirs if " " in said and not translated(said)]
    assert not missing, missing


def _ours():
    "Tell whether a target says it, not a test that plays one."
    frame = sys._getframe(2)
    while frame.f_globals["__name__"] == "connector.errors":
        frame = frame.f_back
    name = frame.f_globals["__name__"]
    return name.startswith("connector.") and name not in HALVES
