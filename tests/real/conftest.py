import pytest

from tests.real.connecting import connected
from tests.real.odoo.system import odoo as odoo_system
from tests.real.radicale.system import radicale as radicale_system
from tests.real.systems import Missing
from tests.real.tryton.system import tryton as tryton_system


def pytest_collection_modifyitems(items):
    here = [item for item in items if "tests/real/" in item.path.as_posix()]
    for item in here:
        item.add_marker(pytest.mark.real)
        item.add_marker(pytest.mark.timeout(1800))  # the first time a system is installed


def whole(system):
    "Start a system for all tests; skip them where the machine cannot bring it."
    try:
        with system() as running:
            yield running
    except Missing as missing:
        pytest.skip(f"the real system is not there: {missing}")


@pytest.fixture(scope="session")
def odoo_server():
    yield from whole(odoo_system)


@pytest.fixture
def odoo(odoo_server):
    "A real Odoo without any customer of ours."
    yield odoo_server
    odoo_server.clear()


@pytest.fixture(scope="session")
def tryton():
    yield from whole(tryton_system)


@pytest.fixture(scope="session")
def book():
    yield from whole(radicale_system)


@pytest.fixture
def connect(tmp_path):
    "Start the connector before a target of a kind, with its settings."
    started = []

    def connect(kind, **settings):
        started.append(connected(tmp_path, kind, **settings))
        started[-1].serve()
        return started[-1]

    yield connect
    for installed in started:
        installed.stop()
