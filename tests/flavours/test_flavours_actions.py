"""Three verb styles, one meaning."""

import pytest

from connector.flavours import is_customers, wants


@pytest.mark.parametrize(
    ("pattern", "action"),
    [
        ("customers.CREATE", "customers.CREATE"),
        ("customers.CREATE", "customers.CREATED"),
        ("customers.CREATE", "customer.created"),
        ("customer.created", "customers.CREATE"),
        ("Customers.Update", "customers.UPDATED"),
        ("customers.DELETE", "customer.deleted"),
        ("customers.*", "customers.CREATE"),
        ("customers.*", "customer.merged"),
        ("customer.*", "customers.DELETED"),
        ("order.delivery.created", "order.delivery.CREATE"),
        ("order.*", "order.delivery.created"),
        ("*", "products.UPDATED"),
        ("customers.CREATE", " customers.CREATE "),
    ],
)
def test_trap_3_verb_styles_are_one(pattern: str, action: str) -> None:
    assert wants([pattern], action)


@pytest.mark.parametrize(
    ("patterns", "action"),
    [
        (["customers.CREATE"], "customers.UPDATE"),
        (["customers.CREATE"], "products.CREATED"),
        (["customers.*"], "products.CREATED"),
        (["customers.*"], "customersX.CREATE"),
        (["customers.CREATE"], "customers.CREATE.again"),
        (["customers.CREATE"], ""),
        ([], "customers.CREATE"),
    ],
)
def test_other_actions_are_not_wanted(patterns: list[str], action: str) -> None:
    assert not wants(patterns, action)


def test_any_of_several_patterns_takes_an_action() -> None:
    assert wants(["customers.CREATE", "customers.UPDATE"], "customers.UPDATED")


@pytest.mark.parametrize("action", ["customers.CREATE", "CUSTOMER.deleted", "customers.loyalty.joined", "customers"])
def test_an_action_that_promises_a_customer(action: str) -> None:
    assert is_customers(action)


@pytest.mark.parametrize("action", ["products.CREATED", "order.delivery.created", "", "customersgroup.CREATE"])
def test_an_action_that_does_not(action: str) -> None:
    assert not is_customers(action)
