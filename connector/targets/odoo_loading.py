"""Write contacts by Odoo's `load`: rows with the same columns, kept all or none, refused with a message for each."""

from collections.abc import Mapping, Sequence

from connector.errors import Refused, Rejected, TargetError, Uncertain
from connector.masking import mask
from connector.targets import records
from connector.targets.http import Ours
from connector.targets.ladder import Row, Write, Written
from connector.targets.odoo_api import ALL, Api
from connector.targets.odoo_terms import PARTNER, Terms

Came = dict[int, Written | TargetError]


def load(group: Mapping[int, Write], api: Api, terms: Terms, ours: Ours) -> Came:
    """Write the contacts of a group, all with the same fields; return what each came to, by its place.

    Odoo keeps nothing when it refuses one, so those that it blames go by themselves. Raises TargetError.
    """
    rows = [terms.cells(write) for write in group.values()]
    personal = [text for write in group.values() for text in records.texts(write.fields)]
    asked = {"fields": list(rows[0]), "data": [list(row.values()) for row in rows], "context": ALL}
    came = api.call(PARTNER, "load", asked, personal, ours)
    ids = records.look(came, "ids")
    if isinstance(ids, list) and len(ids) == len(rows) and all(map(records.identity, ids)):
        return {place: Written(str(remote_id), "loaded") for place, remote_id in zip(group, ids, strict=True)}
    errors = _errors(came, api.host)
    refusal = _refusal(errors, personal, api.host)
    if len(rows) == 1:
        return dict.fromkeys(group, refusal)
    parts = _parts(errors, list(group))
    if not parts:
        raise refusal
    done: Came = {}
    for part in parts:
        done |= load({place: group[place] for place in part}, api, terms, ours)
    return done


def _errors(came: object, host: str) -> list[Row]:
    messages = records.look(came, "messages")
    if records.look(came, "ids") is not False or not isinstance(messages, list):
        raise Uncertain(f"{host} answered {PARTNER}.load with something that is neither yes nor no")
    return [said for said in messages if isinstance(said, dict) and said.get("type") == "error"]


def _parts(errors: Sequence[Row], places: Sequence[int]) -> list[list[int]]:
    """Part the group: each that is blamed alone, the others together; nothing when nobody is blamed.

    The first row is blamed for another's mistake too: only what is said to a row by itself counts.
    """
    blamed = {number for said in errors if isinstance(number := said.get("record"), int)}
    others = [place for number, place in enumerate(places) if number not in blamed]
    return [[places[number]] for number in sorted(blamed)] + ([others] if blamed and others else [])


def _refusal(errors: Sequence[Row], personal: Sequence[str], host: str) -> Rejected:
    said = "; ".join(dict.fromkeys(" ".join(records.text(error.get("message")).split()) for error in errors))
    what = f"{host} refuses the contact: {mask(said, personal)}"
    if said.startswith("You are not allowed to"):
        raise Refused(f"{what}; look at what the user of the API key may do")
    names = [records.text(error.get("field")) for error in errors]
    fields = tuple(name.partition("/")[0] for name in names if name)
    return Rejected(what, fields=fields, status=404 if ".id" in names else 422)
