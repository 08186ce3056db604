"""What holds for every address: problems, headers, no cookies, no secrets in a crash."""

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from connector.config import Config
from connector.store import Store
from connector.web.app import create_app


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/nothing/here", 404),
        ("POST", "/webhooks", 404),
        ("POST", "//webhooks//flavours", 404),
        ("PUT", "/webhooks/flavours", 405),
        ("DELETE", "/healthz", 405),
        ("GET", "/webhooks/flavours/path-token-0123456789/errors", 405),
    ],
)
def test_every_error_is_a_problem(client: FlaskClient, method: str, path: str, status: int) -> None:
    answer = client.open(path, method=method)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert answer.json is not None
    assert answer.json["status"] == status
    assert answer.json["detail"]
    assert ("Allow" in answer.headers) == (status == 405)


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/webhooks/flavours"])
def test_every_answer_is_secured_and_sets_no_cookie(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in headers


def test_a_crash_is_a_problem_and_logs_neither_path_nor_text(config: Config, store: Store) -> None:
    app = create_app(config, store)

    @app.get("/crash/<token>")
    def crash(token: str) -> str:
        raise ZeroDivisionError(f"body of {token}")

    with capture_logs() as logged:
        answer = app.test_client().get("/crash/t0ken")
    assert (answer.status_code, answer.mimetype) == (500, "application/problem+json")
    (line,) = logged
    assert (line["error"], line["log_level"]) == ("ZeroDivisionError", "error")
    assert "crash:" in line["places"]
    assert "t0ken" not in str(logged) + answer.text
