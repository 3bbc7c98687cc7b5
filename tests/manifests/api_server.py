"""A Kubernetes API server with its store, without nodes or controllers, and kubectl for two users of it."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

START_SECONDS: Final = 120.0
ADMIN: Final = "admin"
DEPLOYER: Final = "deployer"
TOKENS: Final = (
    f"{ADMIN}-token,{ADMIN},{ADMIN},system:masters\n{DEPLOYER}-token,{DEPLOYER},{DEPLOYER},tandem-deployers\n"
)


def binary(name: str) -> str | None:
    """The path of `etcd` or `kube-apiserver`, in the folder that controller-runtime's envtest uses or on the PATH."""
    return shutil.which(name, path=os.environ.get("KUBEBUILDER_ASSETS", os.environ["PATH"]))


@dataclass(frozen=True)
class ApiServer:
    """A running API server."""

    folder: Path

    def kubectl(self, user: str, *arguments: str | Path, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run kubectl as one of the users, with `given` as its standard input."""
        command = ["kubectl", "--kubeconfig", self.folder / "kubeconfig", "--context", user, *arguments]
        return subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=120)

    def apply(self, user: str, folder: Path) -> None:
        """Apply a kustomization under strict validation. Raises AssertionError with the server's answer."""
        done = self.kubectl(user, "apply", "--validate=strict", "--kustomize", folder)
        assert done.returncode == 0, done.stderr

    def create(self, *objects: dict[str, Any]) -> None:
        """Create objects as the administrator."""
        done = self.kubectl(ADMIN, "apply", "--filename", "-", given=yaml.safe_dump_all(objects))
        assert done.returncode == 0, done.stderr


@contextmanager
def api_server(folder: Path, etcd: str, kube_apiserver: str) -> Iterator[ApiServer]:
    """Start both on free ports of the loopback interface, and end them."""
    store, peer, port = free_ports(3)
    (folder / "tokens.csv").write_text(TOKENS)
    subprocess.run(["openssl", "genrsa", "-out", folder / "key", "2048"], check=True, capture_output=True)
    urls = {"client": f"http://127.0.0.1:{store}", "peer": f"http://127.0.0.1:{peer}"}
    kubeconfig(folder, port)
    with ExitStack() as stack:
        stack.enter_context(running(folder, etcd, [
            f"--data-dir={folder / 'etcd'}", f"--initial-cluster=default={urls['peer']}",
            f"--listen-client-urls={urls['client']}", f"--advertise-client-urls={urls['client']}",
            f"--listen-peer-urls={urls['peer']}", f"--initial-advertise-peer-urls={urls['peer']}",
        ]))  # fmt: skip
        stack.enter_context(running(folder, kube_apiserver, [
            f"--etcd-servers={urls['client']}", f"--secure-port={port}", "--bind-address=127.0.0.1",
            f"--cert-dir={folder / 'certificates'}", f"--token-auth-file={folder / 'tokens.csv'}",
            "--authorization-mode=RBAC", "--service-cluster-ip-range=10.100.0.0/24", "--allow-privileged=true",
            "--service-account-issuer=https://example.com", f"--service-account-key-file={folder / 'key'}",
            f"--service-account-signing-key-file={folder / 'key'}",
        ]))  # fmt: skip
        server = ApiServer(folder)
        wait_until_ready(server)
        yield server


@contextmanager
def running(folder: Path, program: str, arguments: Sequence[str]) -> Iterator[None]:
    """Run a program in the background, with its output in a file."""
    with (folder / f"{Path(program).name}.log").open("w") as log:
        process = subprocess.Popen([program, *arguments], stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=30)


def wait_until_ready(server: ApiServer) -> None:
    """Wait until the server answers, and has the roles that it creates at its start."""
    deadline = time.monotonic() + START_SECONDS
    while server.kubectl(ADMIN, "get", "clusterrole", "edit").returncode:
        assert time.monotonic() < deadline, (server.folder / "kube-apiserver.log").read_text()[-2000:]
        time.sleep(0.5)


def kubeconfig(folder: Path, port: int) -> None:
    """Write a configuration with one context for each user."""
    users = (ADMIN, DEPLOYER)
    cluster = {"server": f"https://127.0.0.1:{port}", "insecure-skip-tls-verify": True}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "here", "cluster": cluster}],
        "users": [{"name": user, "user": {"token": f"{user}-token"}} for user in users],
        "contexts": [{"name": user, "context": {"cluster": "here", "user": user}} for user in users],
    }
    (folder / "kubeconfig").write_text(yaml.safe_dump(content))


def free_ports(number: int) -> list[int]:
    """Ports that nothing uses at the moment."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
