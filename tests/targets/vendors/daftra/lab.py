"""Daftra, as the vendor's page of facts says: rows in a group of their own, 202 for a new client, a result in words."""

from tests.targets.lab import BASE, Lab, maker
from tests.targets.stub_vendor import Vendor

KEY = "daftra-key-0123456789"
PER_PAGE = 20


class DaftraVendor(Vendor):
    "GET /clients?email=&page=, GET /clients/7, POST /clients {Client}, PUT /clients/7 {Client}."

    def work(self, request):
        if request.headers.get("APIKEY") != KEY:
            return 401, {"code": 401, "result": "failed", "message": "Invalid API key"}
        if request.path == "/clients":
            return self.listed(request.query) if request.method == "GET" else self.made(request.payload["Client"])
        number = request.path.rsplit("/", 1)[1]
        if not number.isdecimal() or int(number) not in self.contacts:
            return 404, {"code": 404, "result": "failed", "message": "Client not found"}
        if request.method == "PUT":
            self.contacts[int(number)] |= request.payload["Client"]
            return 200, {"code": 200, "result": "successful"}
        return 200, {"code": 200, "result": "successful", "data": {"Client": self.contacts[int(number)]}}

    def listed(self, query):
        rows = list(self.contacts.values())
        if not self.ignores_filter:
            rows = [row for row in rows if query.get("email") in (None, row.get("email"))]
        page = int(query.get("page", 1))
        more = self.ignores_paging or len(rows) > page * PER_PAGE
        here = rows if self.ignores_paging else rows[(page - 1) * PER_PAGE : page * PER_PAGE]
        pagination = {"prev": None, "next": page + 1 if more else None, "page": page, "total_results": len(rows)}
        data = [{"Client": row} for row in here]
        return 200, {"code": 200, "result": "successful", "data": data, "pagination": pagination}

    def made(self, client):
        number = self.seed(**client)
        return 202, {"code": 202, "result": "successful", "id": int(number), "client_number": f"{int(number):06}"}


def settings(base_url=BASE, **more):
    account = {"base_url": base_url, "subdomain": "acme", "api_key": KEY}
    return account | {"timeout": "700ms", "uncertain_wait": "7s", "pace": "1000/1s", **more}


def lab(**more):
    slept = []
    make = maker("daftra", lambda base: settings(base, allow_private=True, **more), slept)
    words = {"name": "business_name", "phone": "phone1", "email": "email", "tax_number": "bn1"}
    return Lab(
        "daftra",
        DaftraVendor(),
        make,
        slept,
        words=words,
        rungs=("email",),
        spelled=(),
        can=frozenset({"http", "fetch", "ignores"}),
        refusals=lambda said: [(status, {"code": 400, "result": "failed", "message": said}) for status in (200, 400)],
        secrets=(KEY,),
        lone="phone",
    )
