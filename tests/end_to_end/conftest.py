import pytest

from tests import postgres
from tests.installation import Crm, Installation


@pytest.fixture
def crm(tmp_path):
    crm = Crm(tmp_path)
    yield crm
    crm.stop()


@pytest.fixture
def installed(tmp_path, crm):
    "An installation with the stub CRM and the CSV book as targets, not yet started."
    installed = Installation(tmp_path, crm.port, csv=True)
    yield installed
    installed.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request):
    "The address of a fresh store, on each engine."
    if request.param == "sqlite":
        yield "sqlite:///connector.db"
    else:
        with postgres.database() as url:
            yield url
