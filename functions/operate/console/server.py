"""The console as a web application, and the server that runs it until ctrl-C."""

import secrets
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from functions.core.errors import Misconfigured
from functions.operate.console.pages import HERE, Pages
from functions.operate.console.security import TOKEN_BYTES, Protection, SecurityMiddleware
from functions.operate.console.watching import PipelineWatch, Watcher
from functions.operate.context import OperatorContext

STOP_SECONDS: Final = 5


@dataclass(frozen=True, slots=True)
class ConsoleOptions:
    """Where the console listens, and whether it may change anything. Port 0: any free one."""

    host: str = "127.0.0.1"
    port: int = 8600
    may_write: bool = False


def application(stage: str, contexts: Mapping[str, OperatorContext], protection: Protection) -> Starlette:
    """Return the application for pipelines of a stage. It watches them while it runs."""
    watches = {name: PipelineWatch(context) for name, context in contexts.items()}
    watcher, pages = Watcher(watches), Pages(stage, watches, protection)

    @asynccontextmanager
    async def watching(_: Starlette) -> AsyncIterator[None]:
        watcher.start()
        yield
        watcher.stop()

    routes = [
        Route("/", pages.overview),
        Mount("/static", StaticFiles(directory=HERE / "static")),
        Route("/{pipeline}", pages.pipeline),
        Route("/{pipeline}/plan", pages.plan),
        Route("/{pipeline}/plan.svg", pages.plan_picture),
        Route("/{pipeline}/letters", pages.letters),
        Route("/{pipeline}/letters/{place:path}/value", pages.value),
        Route("/{pipeline}/letters/{place:path}", pages.letter),
        Route("/{pipeline}/actions/{action}", pages.action, methods=["POST"]),
    ]
    return Starlette(
        routes=routes, lifespan=watching, middleware=[Middleware(SecurityMiddleware, protection=protection)],
        exception_handlers={HTTPException: pages.failed, 500: pages.failed},
    )  # fmt: skip


class ConsoleServer(uvicorn.Server):
    """Ends in good order at ctrl-C and SIGTERM; uvicorn's own would raise the signal again, and print a traceback."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """See uvicorn.Server."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def serve(
    stage: str, contexts: Mapping[str, OperatorContext], options: ConsoleOptions, say: Callable[[str], None]
) -> None:
    """Serve until ctrl-C; `say` gets the address. Misconfigured if the port is not free."""
    listening = _listening(options)
    port = listening.getsockname()[1]
    is_local = ip_address(options.host).is_loopback
    names = {options.host, "localhost"} if is_local else {options.host, socket.gethostname().lower()}
    access = None if is_local else secrets.token_urlsafe(TOKEN_BYTES)
    hosts = frozenset(f"{f'[{name}]' if ':' in name else name}:{port}" for name in names)
    protection = Protection(hosts, options.may_write, access)
    shown = f"[{options.host}]" if ":" in options.host else options.host
    say(f"http://{shown}:{port}/{'' if access is None else f'?access={access}'}")
    say("it may change things" if options.may_write else "it is read-only: --write lets it redrive, resume, hand over")
    config = uvicorn.Config(
        application(stage, contexts, protection), log_level="warning", access_log=False, server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )  # fmt: skip
    ConsoleServer(config).run(sockets=[listening])


def _listening(options: ConsoleOptions) -> socket.socket:
    try:
        address = ip_address(options.host)
    except ValueError:
        raise Misconfigured(f"--host: got {options.host!r}, expected an address such as 127.0.0.1") from None
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET  # noqa: PLR2004 - IPv6
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((options.host, options.port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise Misconfigured(f"--port {options.port}: {error.strerror}: --port 0 takes any free one") from None
    return listening
