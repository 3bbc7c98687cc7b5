"""The control plane of a sandbox: what Lambda and Kubernetes do on AWS, for runtimes on this machine.

Verbs use it through the same clients as on AWS: AWS_ENDPOINT_URL_LAMBDA and KUBECONFIG lead here. Loopback only.
"""

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from sandbox.control_plane.answer import Answer
from sandbox.control_plane.kubernetes_api import PREFIX, KubernetesApi
from sandbox.control_plane.lambda_api import PATH, LambdaApi
from sandbox.control_plane.runtimes import PipelineRuntimes


class ControlPlane(AbstractContextManager["ControlPlane"]):
    """Listens from its creation on; `folder` gets the file for KUBECONFIG."""

    def __init__(self, stage: str, pipelines: Mapping[str, PipelineRuntimes], folder: Path, port: int = 0) -> None:
        self.functions, self.kubernetes = LambdaApi(stage, pipelines), KubernetesApi(stage, pipelines)
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._config = folder / "kubeconfig"
        self._config.write_text(json.dumps(_kubeconfig(self.address)))
        Thread(target=self._server.serve_forever, name="control-plane", daemon=True).start()

    def environment(self) -> dict[str, str]:
        """Return the variables that lead clients here."""
        return {"AWS_ENDPOINT_URL_LAMBDA": self.address, "KUBECONFIG": str(self._config)}

    def answer(self, method: str, target: str, content_type: str, body: bytes) -> Answer:
        """Answer a request to either service."""
        if target.startswith(PATH.rstrip("/")):
            return self.functions.answer(method, target, body)
        if target.startswith(PREFIX):
            return self.kubernetes.answer(method, target.partition("?")[0], content_type, body)
        return Answer(404, {"message": f"no service answers {target}"})

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(plane: ControlPlane) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = plane.answer(self.command, self.path, self.headers.get_content_type(), body)
            content = json.dumps(answer.content).encode()
            self.send_response(answer.status)
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_PATCH = respond  # noqa: N815 - the names that the base class calls

        def log_message(self, *_: object) -> None:
            """Log nothing: whoever asks says so."""

    return Handler


def _kubeconfig(address: str) -> dict[str, Any]:
    name = "tandem-sandbox"
    return {
        "apiVersion": "v1", "kind": "Config", "current-context": name,
        "clusters": [{"name": name, "cluster": {"server": address}}], "users": [{"name": name, "user": {}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    }  # fmt: skip
