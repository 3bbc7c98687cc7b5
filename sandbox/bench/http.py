"""`tandem worker` as a process, on the stores that answer immediately: the client's whole cost, without the stores'."""

import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import boto3
from confluent_kafka import Consumer, TopicPartition

from functions import registry
from functions.core import names
from sandbox.bench.fill import fill
from sandbox.bench.memory import KEY, PIPELINE
from sandbox.bench.programs.meter import peak_mib
from sandbox.bench.result import ROOT, Failed, Result, environment
from sandbox.bench.stores.fast_stores import FastStores
from sandbox.process import Process
from sandbox.stores import create

TOPIC: Final = "user-login"
OUTPUT: Final = "processed-user-login"
PARTITIONS: Final = 8
TICKS: Final = os.sysconf("SC_CLK_TCK")
POLL_SECONDS: Final = 0.02
SETTLE_SECONDS: Final = 300.0
WARM_UP: Final = 40  # records per partition that are settled before the clock starts: clients, connections, imports


@dataclass(frozen=True, slots=True)
class Site:
    """What the workers use: a broker with both topics, the stores, and the key."""

    bootstrap: str
    stores: FastStores
    key: Path


@contextmanager
def site(bootstrap: str) -> Iterator[Site]:
    """Start the stores, and direct this process's own boto3 to them."""
    with tempfile.TemporaryDirectory(prefix="tandem-bench-key-") as folder, FastStores() as stores:
        key = Path(folder) / "mask-key"
        key.write_bytes(KEY)
        os.environ.update(stores.environment())
        yield Site(bootstrap, stores, key)


def settle(used: Site, values: Sequence[bytes], root: Path = ROOT) -> Result:
    """Return what a worker of the code in `root` needs for these records, after a warm-up."""
    settings = new_stage(used)
    stage = settings["TANDEM_STAGE"]
    begin = _commit_ends(used.bootstrap, stage)
    log = used.key.with_name(f"{stage}.log")
    module = "functions.cli.main" if (root / "functions/cli/main.py").exists() else "functions.cli"
    command = [sys.executable, "-m", module, "worker"]
    with Process(command, log, environment(settings, root), folder=root) as worker:
        warm = values[: WARM_UP * PARTITIONS]
        _settled(used, stage, begin + len(warm), warm, worker)
        before, requests = cpu_seconds(worker.pid), used.stores.requests()
        began, reached = _settled(used, stage, begin + len(warm) + len(values), values, worker)
        cpu = cpu_seconds(worker.pid) - before
        peak = peak_mib(Path(f"/proc/{worker.pid}/status"))
        return Result(len(values), reached - began, cpu, peak, used.stores.requests() - requests)


def new_stage(used: Site) -> dict[str, str]:
    """Create the tables of a stage with a new name; return the variables of its processes."""
    stage = f"h{uuid4().hex[:6]}"
    client: Any = boto3.Session().client
    create(client, stage, [registry.load(PIPELINE)], f"{stage}-lake", f"{stage}-letters")
    return _settings(used, stage)


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds that all threads of a process have used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _settings(used: Site, stage: str) -> dict[str, str]:
    return {
        **used.stores.environment(),
        "TANDEM_STAGE": stage,
        "TANDEM_PIPELINE": PIPELINE,
        "TANDEM_LAKE_BUCKET": f"{stage}-lake",
        "TANDEM_DEAD_LETTER_BUCKET": f"{stage}-letters",
        "TANDEM_MASK_KEY_FROM": f"file:{used.key}",
        "TANDEM_BOOTSTRAP_SERVERS": used.bootstrap,
        "TANDEM_KAFKA_AUTH": "plaintext",
        "TANDEM_HTTP_HOST": "127.0.0.1",
        "TANDEM_HTTP_PORT": "0",
        "TANDEM_SLICE_SECONDS": "0.2",
        "TANDEM_FLOOD_RATIO": "1",
        "TANDEM_LOG_LEVEL": "ERROR",
        "TANDEM_SESSION_TIMEOUT_SECONDS": "6",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }


def _commit_ends(bootstrap: str, stage: str) -> int:
    """Commit the topic's end for the stage's group, so that its worker starts there; return the sum of the offsets."""
    group = names.consumer_group(stage, PIPELINE)
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False})
    partitions = [TopicPartition(TOPIC, number) for number in range(PARTITIONS)]
    ends = [consumer.get_watermark_offsets(partition, timeout=10)[1] for partition in partitions]
    offsets = [TopicPartition(TOPIC, number, end) for number, end in enumerate(ends)]
    consumer.commit(offsets=offsets, asynchronous=False)
    consumer.close()
    return sum(ends)


def _settled(used: Site, stage: str, target: int, values: Sequence[bytes], worker: Process) -> tuple[float, float]:
    """Produce the records and wait until they are settled; return both times, in seconds of the monotonic clock."""
    used.stores.expect(stage, target)
    began = time.monotonic()
    fill(used.bootstrap, TOPIC, values, PARTITIONS)
    while (reached := used.stores.state(stage)["reached"]) is None:
        if not worker.running:
            raise Failed(f"the worker ended with {worker.exit_code}: {worker.tail(1)}")
        if time.monotonic() - began > SETTLE_SECONDS:
            raise Failed(f"the worker did not settle {len(values):,} records within {SETTLE_SECONDS:g} s")
        time.sleep(POLL_SECONDS)
    return began, float(reached)
