"""Ask a person for the password they have; who guesses waits longer each time, by the name and by the address."""

from dataclasses import dataclass

from flask import request
from werkzeug.security import check_password_hash, generate_password_hash

from connector.models import PASSWORD
from connector.store.people import People

# A stranger's name costs as much time as a known one, so that nobody learns who there is.
_NOBODY = generate_password_hash("nobody has this password")
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Proof:
    """Hold what a try came to: 200, 401 for what is not right, 429 for one that must wait so many seconds first."""

    status: int
    wait: int = 0


def prove(people: People, name: str, password: str) -> Proof:
    """Compare a password with the one that a person has; a wrong one is counted, the right one forgives the name."""
    keys = (f"name:{name}", f"from:{request.remote_addr}")
    wait = people.wait(keys)
    if wait:
        return Proof(429, -(-wait // 1000))
    known = people.password(name)
    if not check_password_hash(known or _NOBODY, password) or known is None:
        people.failed(keys)
        return Proof(401)
    people.forgive(keys[:1])
    return Proof(200)


def fits(password: str) -> bool:
    """Tell whether a new password is as long as one must be, and may be."""
    shortest, longest = PASSWORD
    return shortest <= len(password) <= longest
