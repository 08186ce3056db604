"""What the declarative form can say beyond a plain list: searches, pages, short rows, errors, fields of its own."""

import json

import pytest

from connector.models import Delivered, Fail, Hold, Retry
from tests.targets.conftest import EMAIL, LABS, PHONE, SPELLED, mount
from tests.targets.stub_vendor import Fault
from tests.targets.vendors.rest.lab import rung


def lab_with(mocked, **more):
    lab = LABS["rest"](**more)
    mount(mocked, lab.vendor)
    return lab


def by(field, **more):
    return rung(field, f"record.{field}") | more


def asked(lab, *names):
    return [tuple(request.query.get(name) for name in names) for request in lab.vendor.said("GET")]


# find


def test_a_phone_is_asked_for_in_each_usual_spelling(mocked):
    lab = lab_with(mocked, find=[by("phone", spellings=True)])
    remote_id = lab.seed(name="Sara", phone="0551234567")
    assert lab.push().remote_id == remote_id
    assert asked(lab, "phone") == [(typed,) for typed in SPELLED]


def test_what_is_no_phone_has_one_spelling(mocked):
    lab = lab_with(mocked, find=[by("email", spellings=True)])
    lab.push()
    assert asked(lab, "email") == [(EMAIL,)]


def test_a_query_that_is_a_group_is_sent_as_json(mocked):
    query = {"filter": {"email": {"_eq": "{{ record.email }}"}, "limit": 5}, "email": "{{ record.email }}"}
    lab = lab_with(mocked, find=[by("email", query=query)])
    lab.vendor.ignores_filter = True
    lab.push(lab.request(email='sara"s@example.com'))
    (told,) = asked(lab, "filter")
    assert json.loads(told[0]) == {"email": {"_eq": 'sara"s@example.com'}, "limit": 5}


def test_a_group_without_its_value_is_not_asked(mocked):
    lab = lab_with(mocked, find=[by("email", query={"filter": [["email", "=", "{{ record.email }}"]]})])
    lab.push(lab.request(email=None))
    assert lab.vendor.said("GET") == []


def test_a_row_may_stand_in_a_group_of_its_own(mocked):
    lab = lab_with(mocked, find=[by("email", row="person")])
    body = {"items": [{"score": 1, "person": {"id": 7, "email": EMAIL}}]}
    lab.vendor.faults = [Fault("GET", 200, json.dumps(body).encode())]
    lab.vendor.contacts[7] = {"id": 7}
    assert lab.push().remote_id == "7"


@pytest.mark.parametrize("row", [{"score": 1}, {"person": "x"}, {"person": {"email": EMAIL}}])
def test_a_row_without_its_group_is_no_answer(mocked, row):
    lab = lab_with(mocked, find=[by("email", row="person")])
    lab.vendor.faults = [Fault("GET", 200, json.dumps({"items": [row]}).encode())] * 3
    assert lab.push().trouble.kind == "sick"


@pytest.mark.parametrize(
    ("phones", "how"),
    [
        ([{"value": "+966559999999"}, {"value": "0551234567"}], "updated"),
        ([{"value": "+966559999999"}], "created"),
        ([], "created"),
        ("0551234567", "created"),
        (None, "created"),
    ],
)
def test_a_value_may_be_any_of_a_list(mocked, phones, how):
    page = {"param": "page", "next": "more"}
    lab = lab_with(mocked, find=[by("phone", match={"phones[].value": "{{ record.phone }}"}, page=page)])
    lab.seed(name="Sara", phones=phones)
    lab.vendor.ignores_filter = True
    assert lab.push().how == how


def test_a_list_of_plain_texts_has_no_name_behind_it(mocked):
    lab = lab_with(mocked, find=[by("phone", match={"phones[]": "{{ record.phone }}"})])
    remote_id = lab.seed(name="Sara", phones=["0551234567"])
    lab.vendor.ignores_filter = True
    assert lab.push().remote_id == remote_id


# pages


def paged(lab, size=2):
    "A list in pages that says how it goes on."
    lab.vendor.ignores_filter = True
    whole = lab.vendor.work

    def work(request):
        status, data = whole(request)
        if request.path != "/contacts" or request.method != "GET":
            return status, data
        number, rows = int(request.query["page"]), data["items"]
        more = {"next": "more"} if len(rows) > number * size else {}
        return status, {"items": rows[(number - 1) * size : number * size], "links": more}

    lab.vendor.work = work


@pytest.mark.parametrize(
    "page",
    [
        {"param": "page", "next": "links.next"},
        {"param": "page", "size_param": "per_page", "size": 2},
        {"param": "page"},
    ],
)
def test_pages_are_read_to_the_end(mocked, page):
    lab = lab_with(mocked, find=[by("email", page=page)])
    paged(lab)
    for number in range(4):
        lab.seed(name=f"Other {number}", email=f"other{number}@example.com")
    assert lab.push().how == "created"
    wanted = [(str(n + 1), str(page["size"]) if "size" in page else None) for n in range(2 if "next" in page else 3)]
    assert asked(lab, "page", "per_page") == wanted


def test_a_page_that_says_it_is_the_last_is(mocked):
    lab = lab_with(mocked, find=[by("email", page={"param": "page", "next": "links.next"})])
    paged(lab)
    remote_id = lab.seed(name="Sara", email=EMAIL)
    assert lab.push().remote_id == remote_id
    assert asked(lab, "page") == [("1",)]


# search


def test_a_search_lists_others_that_hold_the_text(mocked):
    lab = lab_with(mocked, find=[by("email", query={"q": "{{ record.email }}"}, search=True)])
    lab.seed(name="Other", notes=[{"text": f"wrote to {EMAIL.upper()}"}])
    remote_id = lab.seed(name="Sara", email=EMAIL)
    lab.vendor.ignores_filter = True
    assert lab.push().remote_id == remote_id


def test_a_search_that_lists_everybody_was_ignored(mocked):
    lab = lab_with(mocked, find=[by("email", query={"q": "{{ record.email }}"}, search=True)])
    lab.seed(name="Other")
    lab.vendor.ignores_filter = True
    outcome = lab.push()
    assert (type(outcome), outcome.code) == (Hold, "filter_ignored")


# short rows


def short(lab):
    whole = lab.vendor.work

    def work(request):
        status, data = whole(request)
        listed = "items" in data
        return status, {"items": [{"id": row["id"]} for row in data["items"]]} if listed else data

    lab.vendor.work = work


def test_a_short_row_is_read_whole(mocked):
    lab = lab_with(mocked, find=[by("phone", short=True)])
    short(lab)
    remote_id = lab.seed(name="Sara Ahmed", phone=PHONE)
    outcome = lab.push(lab.request(email=None, tax=None, fill_if_empty=("external_id",)))
    assert (outcome.how, outcome.remote_id) == ("updated", remote_id)
    assert [request.path for request in lab.vendor.said("GET")] == ["/contacts", f"/contacts/{remote_id}"]


def test_of_too_many_short_rows_only_some_are_read(mocked):
    lab = lab_with(mocked, find=[by("phone", short=True)])
    short(lab)
    for number in range(30):
        lab.seed(name=f"Other {number}")
    lab.vendor.ignores_filter = True
    assert lab.push().code == "filter_ignored"
    assert len(lab.vendor.said("GET")) == 11


# create and update


def test_what_is_sent_beside_the_record(mocked):
    create = {"path": "/contacts", "envelope": "contact", "id": "contact.id", "record": "contact"}
    beside = {"key": {"external_id": "{{ customer }}", "by": ["{{ record.email }}"]}, "strict": True}
    lab = lab_with(mocked, create=create | {"beside": beside})
    outcome = lab.push()
    (post,) = lab.vendor.said("POST")
    assert post.payload == {
        "key": {"external_id": "c1", "by": [EMAIL]},
        "strict": True,
        "contact": lab.request().record,
    }
    assert outcome.how == "created"


def upserting(mocked, **more):
    beside = {"key": {"external_id": "{{ customer }}"}}
    create = {"path": "/contacts", "envelope": "contact", "id": "contact.id", "beside": beside}
    return lab_with(mocked, find=[], create=create, **more)


def test_a_create_that_names_the_customer_is_an_upsert_and_may_be_repeated(mocked):
    lab = upserting(mocked)
    lab.vendor.faults = [Fault("POST", 502)]
    assert lab.push(lab.request(maybe_sent=True)).how == "created"
    lab.vendor.faults = [Fault("POST", 200, b'{"contact": {"id": 1}}')]
    assert lab.push().how == "updated"


def test_what_is_beside_without_its_value_fails(mocked):
    create = {"path": "/contacts", "envelope": "contact", "beside": {"key": "{{ record.email }}"}}
    lab = lab_with(mocked, create=create)
    outcome = lab.push(lab.request(email=None))
    assert isinstance(outcome, Fail)
    assert "no value for a blank of `beside`" in outcome.reason


@pytest.mark.parametrize(
    ("update", "sent"),
    [
        ({"only_changed": True}, {"name"}),
        ({"method": "PATCH"}, {"name"}),
        ({"method": "PATCH", "only_changed": False}, {"name", "phone", "email", "tax_number", "external_id"}),
        ({}, {"name", "phone", "email", "tax_number", "external_id"}),
    ],
)
def test_an_update_may_take_only_what_changed(mocked, update, sent):
    lab = lab_with(mocked, update={"path": "/contacts/{{ remote_id }}", "envelope": "contact", **update})
    lab.push()
    lab.push(lab.request(name="Sara Salem"))
    (written,) = lab.vendor.said("update")
    assert set(written.payload["contact"]) == sent


# the customer's id


def test_the_customers_id_is_always_sent_and_another_customers_respected(mocked):
    lab = lab_with(mocked, customer_field="ref", find=[by("phone"), rung("ref", "customer")])
    lab.push()
    assert lab.vendor.contacts[1]["ref"] == "c1"
    outcome = lab.push(lab.request("c2"))
    assert (type(outcome), outcome.code, "(c1)" in outcome.reason) == (Hold, "already_linked", True)


def test_the_customers_id_may_stand_in_a_group(mocked):
    lab = lab_with(mocked, customer_field="custom.ids.flavours")
    lab.fixed = {"custom.ids.other": "o1"}
    lab.push()
    assert lab.vendor.contacts[1]["custom"] == {"ids": {"other": "o1", "flavours": "c1"}}


# answers


def answering(status, data, purpose="create"):
    return Fault(purpose, status, json.dumps(data).encode())


def test_an_answer_must_say_that_it_is_a_success(mocked):
    lab = lab_with(mocked, success={"path": "result", "equals": "ok"})
    lab.vendor.faults = [answering(201, {"result": "no", "contact": {"id": 1}, "message": "name is too long"})]
    outcome = lab.push()
    assert isinstance(outcome, Fail)
    assert outcome.reason.endswith("answered 201: name is too long")
    lab.vendor.faults = [answering(201, {"result": "OK", "contact": {"id": 1}})]
    assert lab.push().how == "created"
    assert lab.push(lab.request("c2")).how == "created"  # what does not say it at all is judged as ever


def test_the_sentence_stands_where_it_is_told(mocked):
    lab = lab_with(mocked, message="exception")
    said = {"exception": f"Email {EMAIL} is taken", "trace": "line 1", "message": "Oh no"}
    lab.vendor.faults = [answering(422, said)]
    assert lab.push().reason.endswith("answered 422: Email *** is taken")
    lab.vendor.faults = [answering(422, {"message": "Oh no"})]
    assert lab.push().reason.endswith("answered 422: Oh no")


@pytest.mark.parametrize(
    "body", [{"phone": ["bad"]}, {"errors": {"phone": "bad"}}, {"errors": [{"phone": {"code": 7}}]}]
)
def test_a_soft_field_that_is_named_is_left_out(mocked, body):
    lab = lab_with(mocked, soft=["phone"])
    lab.vendor.faults = [answering(422, body)]
    outcome = lab.push()
    assert (type(outcome), lab.contacts()[0].get("phone")) == (Delivered, None)
    assert any(warning.startswith("phone: left out") for warning in outcome.warnings)


@pytest.mark.parametrize("body", [{"email": ["bad"]}, {"message": "phone is bad"}, {"phone": [], "email": ["bad"]}])
def test_what_is_not_named_or_not_soft_fails(mocked, body):
    lab = lab_with(mocked, soft="phone")
    lab.vendor.faults = [answering(422, body)]
    assert isinstance(lab.push(), Fail)


def test_keys_are_looked_for_no_deeper_than_answers_go(mocked):
    lab = lab_with(mocked, soft="phone")
    deep = {"a": {"b": {"c": {"d": {"e": {"phone": "bad"}}}}}}
    lab.vendor.faults = [answering(422, deep)]
    assert isinstance(lab.push(), Fail)


def ruled(mocked, *rules, **more):
    return lab_with(mocked, errors=list(rules), **more)


def test_a_contact_that_is_there_is_taken_by_its_id(mocked):
    lab = ruled(mocked, {"status": 409, "means": "exists", "id": "known.id"}, find=[by("tax_number")])
    remote_id = lab.seed(name="Sara", email=EMAIL)
    lab.vendor.faults = [answering(409, {"known": {"id": int(remote_id)}})]
    assert lab.push().remote_id == remote_id


@pytest.mark.parametrize("rule", [{"id": "known.id"}, {}])
def test_a_contact_that_is_there_without_its_id_is_for_a_person(mocked, rule):
    lab = ruled(mocked, {"status": [400, 409], "means": "exists", **rule})
    lab.vendor.faults = [answering(409, {"message": "it exists"})]
    assert (lab.push().code, lab.contacts()) == ("already_there", [])


@pytest.mark.parametrize(("means", "kind"), [("busy", "busy"), ("refused", "refused"), ("again", "sick")])
def test_what_is_wrong_with_the_target(mocked, means, kind):
    lab = ruled(mocked, {"status": 400, "path": "code", "equals": ["LIMIT", "QUOTA"], "means": means, "wait": "5m"})
    lab.vendor.faults = [answering(400, {"code": "quota"})] * 3
    outcome = lab.push()
    assert (type(outcome), outcome.trouble.kind) == (Retry, kind)
    assert outcome.trouble.after == (300.0 if means == "busy" else None)


def test_a_time_that_is_told_counts_more_than_the_rules(mocked):
    lab = ruled(mocked, {"contains": "slow down", "means": "busy", "wait": "5m"})
    lab.vendor.faults = [Fault("create", 400, b"Slow down!", {"Retry-After": "30"})]
    assert lab.push().trouble.after == 30.0


def test_a_field_that_is_refused_by_a_sentence(mocked):
    rule = {"path": "errors", "contains": ["Mobile is taken", "mobile is bad"], "means": "invalid", "field": "phone"}
    lab = ruled(mocked, rule, soft="phone")
    lab.vendor.faults = [answering(400, {"errors": [{"text": "Mobile is taken"}]})]
    outcome = lab.push()
    assert (type(outcome), lab.contacts()[0].get("phone")) == (Delivered, None)


def test_a_contact_that_is_gone_by_another_status(mocked):
    lab = ruled(mocked, {"status": 400, "equals": "deleted", "path": "error", "means": "gone"})
    first = lab.push()
    lab.vendor.faults = [answering(400, {"error": "deleted"}, "find")]
    outcome = lab.push(lab.request(name="Sara Salem", remote_id="99", fill_if_empty=("email",)))
    assert (outcome.how, outcome.remote_id) == ("updated", first.remote_id)


def test_the_first_rule_that_fits_decides(mocked):
    lab = ruled(
        mocked,
        {"status": 409, "contains": "other words", "means": "refused"},
        {"status": 409, "means": "again"},
        {"status": 409, "means": "exists"},
    )
    lab.vendor.faults = [answering(409, {"message": "it exists"})] * 3
    assert lab.push().trouble.kind == "sick"


def test_a_rule_without_a_status_is_about_failures_only(mocked):
    lab = ruled(mocked, {"contains": "Sara", "means": "refused"})
    assert lab.push().how == "created"


def test_a_rule_may_name_a_status_that_is_fine(mocked):
    lab = ruled(mocked, {"status": 200, "path": "warning", "equals": "quota", "means": "busy"})
    lab.vendor.faults = [answering(200, {"warning": "quota", "contact": {"id": 1}})]
    assert lab.push().trouble.kind == "busy"


def test_no_rule_follows_a_redirect(mocked):
    lab = ruled(mocked, {"status": 302, "means": "again"})
    lab.vendor.faults = [Fault(status=302, headers={"Location": "https://elsewhere.example.net/"})]
    assert "redirect to elsewhere.example.net" in lab.push().reason


# the list of fields


def listed(lab, *names):
    whole = lab.vendor.work
    rows = {"fields": [{"key": name} for name in names]}
    lab.vendor.work = lambda request: (200, rows) if request.path == "/fields" else whole(request)


FIELD_LIST = {
    "path": "/fields",
    "query": {"of": "contact"},
    "records": "fields",
    "name": "key",
    "also": ["custom", "tags"],
}


def test_a_check_compares_the_mapping_with_the_systems_own_list(mocked):
    lab = lab_with(mocked, field_list=FIELD_LIST)
    listed(lab, "name", "phones", "cf_crn")
    fields = ("name", "phones[0].value", "custom", "extra.cf_crn", "tags[0]", "emial", "extra.cf_vat")
    check = lab.target.check(fields)
    assert not check.ok
    assert [line.split()[4] for line in check.lines[1:]] == ["emial", "extra.cf_vat"]
    assert lab.vendor.requests[-1].query == {"of": "contact"}
    assert lab.target.check(fields[:-2]).ok


def test_a_check_without_a_mapping_or_a_list_looks_for_none(mocked):
    lab = lab_with(mocked, field_list=FIELD_LIST)
    assert lab.target.check().ok
    assert LABS["rest"]().vendor.requests == []
    assert lab_with(mocked).target.check(("emial",)).ok
    assert {request.path for request in lab.vendor.requests} == {"/contacts"}


def test_what_is_kept_elsewhere_is_not_missed(mocked):
    lab = lab_with(mocked, field_list=FIELD_LIST | {"also": ["address"]})
    lab.fixed = {"address.city": "Riyadh", "nickname": "Sasa"}
    body = {"contact": {"id": 1, "name": "Sara Ahmed", "phone": PHONE, "email": EMAIL, "tax_number": "310122393500003", "external_id": "c1"}}  # fmt: skip
    lab.vendor.faults = [answering(201, body)]
    assert lab.push().warnings == ("nickname: the target did not keep it",)


# secrets


def test_a_part_of_a_secret_is_a_secret_too(mocked):
    lab = lab_with(mocked, auth={"header": {"name": "Authorization", "value": "Token token=s3cr3t-of-ours"}})
    lab.vendor.faults = [answering(401, {"message": "s3cr3t-of-ours is not known"}, "find")]
    assert "s3cr3t" not in repr(lab.push())
