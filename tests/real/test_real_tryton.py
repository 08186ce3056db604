"""A real Tryton 7.0 behind the real server and worker."""

from tests.real.connecting import customer, name, send, settled, states, twice

ALL = 200


def settings(tryton):
    return {"base_url": tryton.url, "database": tryton.database, "login": tryton.login, "password": tryton.password}


def test_two_hundred_customers_sixteen_at_once_each_twice(tryton, connect):
    installed = connect("tryton", **settings(tryton))
    send(installed, twice(ALL))
    rows = settled(installed, 2 * ALL)
    assert states(rows) == {"delivered": 2 * ALL}
    parties = tryton.parties("code", "name", "phone", "email", "addresses.city")
    assert sorted(p["code"] for p in parties) == sorted(f"real-customer-{n}" for n in range(ALL))
    assert sorted(p["name"] for p in parties) == sorted(map(name, range(ALL)))
    assert all(p["phone"] and p["email"] for p in parties)
    assert {one["city"] for p in parties for one in p["addresses."]} == {"الرياض"}
    warnings = {warning for row in rows for warning in row["warnings"]}
    assert warnings == {"addresses.country: left out, this Tryton knows no such country"}


def test_a_wrong_field_fails_at_once(tryton, connect):
    wrong = lambda text: text.replace("addresses.city", "addresses.town")  # noqa: E731
    installed = connect("tryton", change=wrong, **settings(tryton))
    send(installed, [customer(n) for n in range(1000, 1005)])
    rows = settled(installed, 5, 30)
    assert states(rows) == {"failed": 5}
    assert {row["attempts"] for row in rows} == {1}
    assert all("'town' is no field (or model) of this Tryton" in row["reason"] for row in rows)


def test_the_check_of_the_shipped_mapping(tryton, connect):
    installed = connect("tryton", **settings(tryton))
    code, out, _ = installed.cli("targets", "check", "real")
    assert (code, "takes the login" in out) == (0, True)
    code, out, _ = connect("tryton", **settings(tryton) | {"password": "wrong"}).cli("targets", "check", "real")
    assert (code, "look at the credentials" in out) == (1, True)
