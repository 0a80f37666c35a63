"""Asking for the metrics, from this machine or from elsewhere."""

from werkzeug.test import TestResponse

from server.http.app import DaftarFlask


def ask(app: DaftarFlask, address: str = "127.0.0.1", token: str = "") -> TestResponse:
    """Knock at /metrics from that address, with that token if there is one."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return app.test_client().get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": address})
