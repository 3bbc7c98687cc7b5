"""PostgreSQL for tests, from Debian's package: an empty server on a free port of the loopback."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

SETTINGS = {"fsync": "off", "listen_addresses": "127.0.0.1", "max_connections": "50", "log_min_messages": "fatal"}


def binary(name: str) -> str:
    """Return the path of one of PostgreSQL's commands, or skip the test."""
    found = [shutil.which(name), *sorted(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")))]
    command = next(filter(None, found), None)
    if command is None:
        pytest.skip(f"takes PostgreSQL: there is no {name}")
    return command


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def postgres() -> Iterator[str]:
    """Yield the connection string of a server that stops at the end."""
    user = "postgres" if os.getuid() == 0 else None  # the server refuses to run as root
    initdb, server, port = binary("initdb"), binary("postgres"), free_port()
    with TemporaryDirectory(prefix="tandem-postgres-") as folder:
        if user:
            shutil.chown(folder, user)
        options = ["--auth", "trust", "--username", "tandem", "--no-sync", "--encoding", "UTF8", "--locale", "C"]
        command = [initdb, "--pgdata", f"{folder}/data", *options]
        subprocess.run(command, user=user, cwd=folder, check=True, capture_output=True)
        settings = SETTINGS | {"port": str(port), "unix_socket_directories": folder}
        command = [server, "-D", f"{folder}/data", *(f"--{name}={value}" for name, value in settings.items())]
        process = subprocess.Popen(command, user=user, cwd=folder, stderr=subprocess.DEVNULL)
        conninfo = f"host=127.0.0.1 port={port} user=tandem dbname=postgres sslmode=disable"
        try:
            _wait(conninfo, process)
            yield conninfo
        finally:
            process.terminate()  # waits for sessions to end, so tests close theirs
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.send_signal(3)  # SIGQUIT: at once
                process.wait(30)


def _wait(conninfo: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        try:
            psycopg.connect(conninfo, connect_timeout=5).close()
        except psycopg.OperationalError:
            assert process.poll() is None, "PostgreSQL ended"
            try:
                process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
        else:
            return
    raise AssertionError("PostgreSQL did not start within a minute")
