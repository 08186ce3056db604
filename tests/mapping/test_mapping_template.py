"""Templates and conditions: the small language, and what it refuses."""

import pytest

from connector.errors import MappingError
from connector.mapping.template import condition, template
from tests.mapping.conftest import event_of

DATA = {
    "id": "c4a868ea-735e",
    "tax_number": "",
    "crn": 1010,
    "type": None,
    "flag": 0,
    "list": [1],
    "user": {"name": " Sara Ahmed ", "lang": "ar", "is_active": True},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("Flavours customer {{ user.name }}", "Flavours customer  Sara Ahmed "),
        ("{{ id | left(8) }}", "c4a868ea"),
        ("{{ user.name | strip | upper }}", "SARA AHMED"),
        ("{{ user.name | lower | first_word }}-{{ user.name | rest_words }}", "sara-Ahmed"),
        ("{{ crn | digits }}", "1010"),
        ("{{ city | default('none') }} {{ user.lang | default('none') }}", "none ar"),
        ("{{ tax_number or crn or 'x' }}", "1010"),
        ("{{ user.lang and 'y' }}{{ type and 'z' }}", "y"),
        ("{{ 'company' if crn else 'person' }}", "company"),
        ("{{ 'company' if tax_number }}", ""),
        ("{{ 'VAT ' ~ tax_number ~ crn }}", "VAT 1010"),
        ("{{ user.is_active }} {{ none }} {{ 5 }} {{ 1.5 }}", "true  5 1.5"),
        ("{{ event.action }} {{ data.list }} {{ not crn }}", "customers.CREATE  false"),
        ("{# a remark #}{{ user.lang }}", "ar"),
    ],
)
def test_a_template_fills(text, expected):
    assert template(text)(event_of(DATA)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tax_number", False),
        ("tax_number or crn", True),
        ("tax_number and crn", False),
        ("not tax_number", True),
        ("not (tax_number or crn)", False),
        ("user.lang == 'ar'", True),
        ('user.lang != "ar"', False),
        ("user.lang in ['en', 'ar']", True),
        ("user.lang in ('en', 'ar')", True),
        ("user.lang not in ['en', 'ar']", False),
        ("type == none", True),
        ("type == ''", True),
        ("crn == 1010", True),
        ("crn in [1010]", True),
        ("user.is_active", True),
        ("user.is_active == true", True),
        ("data.flag", False),
        ("data.list", False),
        ("data.nothing.here", False),
        ("event.action == 'customers.CREATE'", True),
        ("user.name | first_word == 'Sara'", True),
    ],
)
def test_a_condition_holds_or_not(text, expected):
    assert condition(text)(event_of(DATA)) is expected


def test_both_know_the_paths_they_read():
    assert template("{{ user.name }} {{ id }} {{ id }}").paths == ("user.name", "id")
    assert condition("tax_number or crn").paths == ("tax_number", "crn")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{{ user.__class__ }}", "Flavours sends no `user.__class__`"),
        ("{{ data.__class__ }}", "Flavours sends no `data.__class__`"),
        ("{{ user.name.__class__.__mro__ }}", "Flavours sends no"),
        ("{{ ''.__class__ }}", "`text.part` is not allowed"),
        ("{{ 'a' * 10**9 }}", "`*` is not allowed"),
        ("{{ 9**9**9 }}", "`**` is not allowed"),
        ("{{ '%9e8d' % 1 }}", "`%` is not allowed"),
        ("{{ 1 + 1 }}", "`+` is not allowed"),
        ("{{ -1 }}", "`-` is not allowed"),
        ("{{ user['name'] }}", "`[...]` is not allowed"),
        ("{{ user.name() }}", "`()` is not allowed"),
        ("{{ range(9) }}", "`()` is not allowed"),
        ("{{ cycler }}", "Flavours sends no `cycler`"),
        ("{{ user.name is defined }}", "`is` is not allowed"),
        ("{{ {} }}", "`{...}` is not allowed"),
        ("{{ ['a'] }}", "`[...]` is not allowed"),
        ("{{ 'x' | center(900000000) }}", "no filter `center`"),
        ("{{ id | lefft(3) }}", "did you mean `left`?"),
        ("{{ id | left }}", "written left(8)"),
        ("{{ id | left(n=3) }}", "written left(8)"),
        ("{{ id | left(user.phone) }}", "written left(8)"),
        ("{{ id | default(3) }}", 'written default("text")'),
        ("{{ id | lower(3) }}", "written lower"),
        ("{{ id | lower(*id) }}", "written lower"),
        ("{% for x in id %}{% endfor %}", "`{% for %}` is not allowed"),
        ("{% set x = 1 %}", "`{% set %}` is not allowed"),
        ("{% include 'x' %}", "`include` is not allowed"),
        ("{% import 'x' as y %}", "`import` is not allowed"),
        ("{% macro x() %}{% endmacro %}", "`macro` is not allowed"),
        ("{% filter lower %}x{% endfilter %}", "is not allowed"),
        ("{{ user.fone }}", "did you mean `user.phone`?"),
        ("{{ phone }}", "did you mean `user.phone`?"),
        ("{{ user }}", "`user` is a group"),
        ("{{ user.name", "cannot be read"),
        (r"{{ 'a\u202eb' }}", "invisible control character"),
        (r"{{ '\ud800' }}", "invisible control character"),
        ("{% nope %}", "cannot be read"),
        ("{{ " + "(" * 900 + "id" + ")" * 900 + " }}", "nested too deeply"),
        ("{{ " + "not " * 100 + "id }}", "nested too deeply"),
        (" ", "is empty"),
        ("x" * 2_001, "longer than 2000"),
    ],
)
def test_a_template_refuses(text, says):
    with pytest.raises(MappingError) as error:
        template(text, "m.yaml", 3, 5)
    assert says in str(error.value)
    assert str(error.value).startswith("m.yaml:3:5: ")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("crn }} {{ id", "is not expected here"),
        ("crn crn", "is not expected here"),
        ("crn > 5", "compare here"),
        ("crn == 1 == 1", "compare here"),
        ("'a' in user.name", "takes a list"),
        ("crn in [user.name]", "takes a list"),
        ("crn in 'abc'", "takes a list"),
        ("crn = 1", "is not expected here"),
        ("tax_numbr", "did you mean `tax_number`?"),
        ("foo(crn)", "`()` is not allowed"),
        ("", "is empty"),
    ],
)
def test_a_condition_refuses(text, says):
    with pytest.raises(MappingError) as error:
        condition(text)
    assert says in str(error.value)


def test_a_problem_names_its_line_in_a_long_text():
    with pytest.raises(MappingError) as error:
        template("one\ntwo {{ user.fone }}", "m.yaml", 3, 5)
    assert str(error.value).startswith("m.yaml:4:5: ")


def test_concatenation_is_bounded():
    text = "{{ " + " ~ ".join(["city"] * 40) + " }}"
    assert len(template(text)(event_of({"city": "x" * 1_000_000}))) == 10_000
