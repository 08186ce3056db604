"""A door on a real store in a temporary folder, and the documented payload."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from connector.config import Config, HmacAuth, RetryConfig, ServerConfig, SourceConfig, SyncConfig, WorkerConfig
from connector.masking import Secret
from connector.store import Store, open_store
from connector.store.migrate import upgrade
from connector.web.app import create_app

TOKEN = "path-token-0123456789"
SAMPLES = Path(__file__).parents[1] / "samples"


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "connector.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def store(empty_store: Path, tmp_path: Path) -> Iterator[Store]:
    shutil.copy(empty_store, tmp_path / "connector.db")
    opened = open_store(f"sqlite:///{tmp_path / 'connector.db'}", patience=0.5)
    yield opened
    opened.close()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    sources = [
        SourceConfig("flavours", (Secret(TOKEN), Secret("old-token-0123456789"))),
        SourceConfig("lenient", (Secret(TOKEN),), rejected_status=202),
        SourceConfig("plain", (Secret(TOKEN),), rejected_status=400),
        SourceConfig("signed", hmac=HmacAuth("X-Signature", (Secret("s3cr3t"),))),
    ]
    sync = SyncConfig("customers_to_contacts", "flavours", ("customers.CREATE",), "csv", "contacts")
    return Config(
        path=tmp_path / "config.yaml",
        database=f"sqlite:///{tmp_path / 'connector.db'}",
        mappings=tmp_path,
        server=ServerConfig(),
        alert_url=None,
        retry=RetryConfig(),
        worker=WorkerConfig(),
        keep_bodies=0,
        keep_ledger=0,
        sources={source.name: source for source in sources},
        targets={},
        syncs={sync.name: sync},
    )


@pytest.fixture
def client(config: Config, store: Store) -> FlaskClient:
    return create_app(config, store).test_client()


@pytest.fixture
def url() -> str:
    return f"/webhooks/flavours/{TOKEN}"


@pytest.fixture
def customer() -> bytes:
    return (SAMPLES / "customers.CREATE.json").read_bytes()


@pytest.fixture
def product() -> bytes:
    return (SAMPLES / "products.as-customers.CREATE.json").read_bytes()
