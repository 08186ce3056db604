"""Look whether an Odoo can be used: which it is, what its user may do, and whether it has the mapping's fields."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from connector.targets.base import Said
from connector.targets.odoo_api import Api
from connector.targets.odoo_terms import BY_VERSION, PARTNER, RELATED


def looked(host: str, api: Api, fields_of: Callable[[], Mapping[str, Any]], fields: Collection[str]) -> Iterator[Said]:
    """Say what is to be said, the version first; `fields` are the mapping's. Raises TargetError."""
    way, known = api.way(), fields_of()
    may = {what: _may(api, what, old=way.uid is not None) for what in ("create", "write")}
    yield True, f"{host} is Odoo {way.version} and takes the API key"
    for what, permitted in may.items():
        if not permitted:
            yield False, f"the key's user may not {what} contacts; give it Contact Creation"
    names = {re.split(r"[./]", name)[0] for name in fields} - RELATED.keys() - known.keys()
    wrong = {name for name in names if not BY_VERSION.fullmatch(name)}
    for name in sorted(wrong):
        yield False, f"{name}: Odoo has no such field{_near(name, known)}; mend the mapping"
    for name in sorted(names - wrong):
        yield True, f"{name}: this Odoo does not have it, so it is left out"


def _may(api: Api, what: str, *, old: bool) -> bool:
    if old:
        return bool(api.call(PARTNER, "check_access_rights", {"operation": what, "raise_exception": False}))
    return bool(api.call(PARTNER, "has_access", {"operation": what}))


def _near(name: str, known: Mapping[str, Any]) -> str:
    near = get_close_matches(name, known, n=1)
    return f", did you mean `{near[0]}`?" if near else ""
