"""A name in two fields: a person's is split, a company's and a number stay whole."""

import pytest

FIELDS = """\
    first: {first_of: [user.name, user.username, user.phone], use: first_name, when: not is_company}
    last: {first_of: [user.name, user.username, user.phone], use: last_name}
"""


@pytest.mark.parametrize(
    ("customer", "record"),
    [
        ({"user": {"name": "Sara  Ahmed"}}, {"first": "Sara", "last": "Ahmed"}),
        ({"user": {"name": "Sara"}}, {"last": "Sara"}),
        ({"user": {"name": "شركة  النخيل"}}, {"last": "شركة النخيل"}),
        ({"crn": "1010010000", "user": {"name": "Sara Ahmed"}}, {"last": "Sara Ahmed"}),
        ({"type": "company", "user": {"username": "palm house"}}, {"last": "palm house"}),
        ({"user": {"phone": "055 123 4567"}}, {"last": "055 123 4567"}),
        ({"user": {"phone": "+966 55 123 4567"}}, {"last": "+966 55 123 4567"}),
        ({"user": {"phone": "٠٥٥ ١٢٣ ٤٥٦٧"}}, {"last": "٠٥٥ ١٢٣ ٤٥٦٧"}),
        ({"user": {"name": "User 1"}}, {"first": "User", "last": "1"}),
    ],
)
def test_first_and_last_hold_every_word_once(mapped, customer, record):
    assert mapped(FIELDS, customer).record == record
