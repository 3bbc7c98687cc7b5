"""The event source simulator: AWS's own runtime client in child processes, Kafka's protocol from librdkafka's mock."""

import json
import os
import signal
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from moto import mock_aws

from functions.core.backoff import Backoff
from sandbox.event_source.environment import Environment
from sandbox.event_source.function import LambdaFunction
from sandbox.event_source.mapping import EventSourceMapping
from sandbox.event_source.outcome import Crashed, FunctionError, Ok, TimedOut
from sandbox.event_source.retry_policy import RetryPolicy
from sandbox.event_source.run import BatchProgress
from sandbox.event_source.source import EventSource
from tests.integration.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

HANDLER = '''
import json, os, time
from pathlib import Path

HERE = Path(__file__).parent
CALLS = 0

def handle(event, context):
    """Do what the event asks for."""
    global CALLS
    CALLS += 1
    print("working")
    if event.get("do") == "raise":
        raise RuntimeError("no")
    if event.get("do") == "exit":
        os._exit(3)
    time.sleep(event.get("sleep", 0))
    return {
        "calls": CALLS, "pid": os.getpid(), "id": context.aws_request_id, "arn": context.invoked_function_arn,
        "left": context.get_remaining_time_in_millis(), "stage": os.environ.get("STAGE"),
    }

def keep(event, context):
    """Append the event to a file; fail while the file `broken-<partition>` is there, hang while `slow` is."""
    with (HERE / "events").open("a") as events:
        events.write(json.dumps(event) + "\\n")
    for name in event["records"]:
        if (HERE / f"broken-{name}").exists():
            raise RuntimeError(name)
    while (HERE / "slow").exists():
        time.sleep(0.01)
'''
FAST = RetryPolicy(backoff=Backoff(initial_seconds=0.01, max_seconds=0.02))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "tiny.py").write_text(HANDLER)
    return tmp_path


@pytest.fixture
def environment(root: Path) -> Iterator[Environment]:
    function = LambdaFunction("tiny.handle", {"STAGE": "test"}, task_root=root, log=root / "log")
    environment = Environment(function)
    yield environment
    environment.close()


def invoke(environment: Environment, timeout: float = PATIENCE, **event: object) -> dict[str, Any]:
    outcome = environment.invoke(json.dumps(event).encode(), timeout)
    assert isinstance(outcome, Ok)
    return json.loads(outcome.payload)  # type: ignore[no-any-return]


def test_an_environment_runs_the_handler_as_lambda_does_and_stays_warm(environment: Environment, root: Path) -> None:
    first, second = invoke(environment), invoke(environment)
    assert (first["calls"], second["calls"]) == (1, 2)
    assert first["pid"] == second["pid"]
    assert first["id"] != second["id"]
    assert 0 < first["left"] <= PATIENCE * 1000
    assert first["arn"] == "arn:aws:lambda:us-east-1:123456789012:function:tandem-local"
    assert first["stage"] == "test"
    assert "working" in (root / "log").read_text()


def test_six_megabytes_go_through(environment: Environment) -> None:
    assert invoke(environment, filler="x" * 6_000_000)["calls"] == 1


def test_an_error_keeps_the_environment_and_a_crash_does_not(environment: Environment) -> None:
    pid = invoke(environment)["pid"]
    outcome = environment.invoke(b'{"do": "raise"}', PATIENCE)
    assert isinstance(outcome, FunctionError)
    error = json.loads(outcome.payload)
    assert (error["errorType"], error["errorMessage"]) == ("RuntimeError", "no")
    assert invoke(environment)["pid"] == pid
    assert environment.invoke(b'{"do": "exit"}', PATIENCE) == Crashed(3)
    assert invoke(environment)["pid"] != pid
    assert environment.started == 2


def test_a_timeout_kills_the_child_and_the_next_one_is_new(environment: Environment) -> None:
    pid = invoke(environment)["pid"]
    assert environment.invoke(b'{"sleep": 600}', 0.2) == TimedOut(0.2)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert invoke(environment)["calls"] == 1


def test_a_handler_that_cannot_be_imported_is_a_function_error(root: Path) -> None:
    environment = Environment(LambdaFunction("absent.handle", task_root=root))
    for _ in range(2):
        outcome = environment.invoke(b"{}", PATIENCE)
        assert isinstance(outcome, FunctionError)
        assert json.loads(outcome.payload)["errorType"] == "Runtime.ImportModuleError"
    assert environment.started == 2


def test_the_child_dies_with_the_simulator(root: Path) -> None:
    code = f"""
from pathlib import Path
from sandbox.event_source.environment import Environment
from sandbox.event_source.function import LambdaFunction
import json
environment = Environment(LambdaFunction("tiny.handle", task_root=Path({str(root)!r})))
print(json.loads(environment.invoke(b"{{}}", 300).payload)["pid"], flush=True)
environment.invoke(b'{{"sleep": 600}}', 600)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as simulator:
        assert simulator.stdout is not None
        pid = int(simulator.stdout.readline())
        os.kill(simulator.pid, signal.SIGKILL)
    eventually(lambda: not alive(pid))


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


class MappingStage:
    """A topic of four partitions, a handler, and an event source between them."""

    def __init__(self, name: str, producer: Producer, root: Path, s3: "S3Client", **settings: Any) -> None:
        (root / "tiny.py").write_text(HANDLER)
        (broker,) = producer.list_topics(name, timeout=PATIENCE).brokers.values()
        function = LambdaFunction("tiny.keep", task_root=root, log=root / "log")
        # The mock does not see members leave: the next one waits for the session's end. Less than its 3 s breaks it.
        settings = {"window": 0, "retries": FAST, "timeout": PATIENCE, "session_timeout": 10, **settings}
        self.name = name
        self.producer = producer
        self.root = root
        self.slow = root / "slow"
        self.mapping = EventSourceMapping(name, f"g-{name}", f"{broker.host}:{broker.port}", function, **settings)
        self.source = EventSource(self.mapping, s3)

    def produce(self, partition: int, *values: bytes | None, key: bytes | None = None) -> None:
        for value in values:
            self.producer.produce(self.name, value, key, partition, headers=[("source", b"\xffx")])
        assert self.producer.flush(PATIENCE) == 0

    def events(self) -> list[dict[str, list[dict[str, Any]]]]:
        path = self.root / "events"
        return [json.loads(line)["records"] for line in path.read_text().splitlines()] if path.exists() else []

    def runs(self, partition: int) -> list[list[bytes | None]]:
        runs = [event.get(f"{self.name}-{partition}", []) for event in self.events()]
        return [[record["value"] and b64decode(record["value"]) for record in run] for run in runs if run]

    def seen(self, partition: int) -> list[bytes | None]:
        return [value for run in self.runs(partition) for value in run]

    def committed(self) -> list[int | None]:
        """The next offset per partition."""
        reader = Consumer({"bootstrap.servers": self.mapping.bootstrap, "group.id": self.mapping.group})
        try:
            positions = reader.committed([TopicPartition(self.name, n) for n in range(4)], timeout=PATIENCE)
            return [position.offset if position.offset >= 0 else None for position in positions]
        finally:
            reader.close()

    def breaks(self, partition: int) -> Path:
        """Let the handler fail on this partition, until the returned file is deleted."""
        path = self.root / f"broken-{self.name}-{partition}"
        path.touch()
        return path


STAGES: dict[str, dict[str, Any]] = {
    "order": {"batch_size": 100, "concurrency": 2},
    "retry": {"concurrency": 2},
    "kill": {},
    "failure": {"retries": RetryPolicy(2, backoff=FAST.backoff), "on_failure": "failures"},
    "stop": {"batch_size": 4},
    "bound": {"timeout": 14 * 60},
    "callback": {},
    "latest": {"starting_position": "LATEST"},
}


@pytest.fixture(scope="module")
def s3() -> Iterator["S3Client"]:
    with mock_aws():
        client: S3Client = boto3.client("s3", "us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
        client.create_bucket(Bucket="failures")
        yield client


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory, s3: "S3Client") -> Iterator[dict[str, MappingStage]]:
    """Start all in parallel, since joining a group needs 3 s."""
    producer = Producer(
        {"test.mock.num.brokers": 1, "log_level": 3, "linger.ms": 1000}
    )  # `flush` sends what was produced together together
    all_stages = {
        name: MappingStage(name, producer, tmp_path_factory.mktemp(name), s3, **STAGES[name]) for name in STAGES
    }
    all_stages["latest"].produce(0, b"before")
    with ExitStack() as running:
        for stage in all_stages.values():
            running.enter_context(stage.source)
        assert all(stage.source.wait_ready(PATIENCE) for stage in all_stages.values())
        yield all_stages
        for stage in all_stages.values():
            stage.slow.unlink(missing_ok=True)


def test_every_record_comes_once_in_order_and_is_committed(stages: dict[str, MappingStage]) -> None:
    stage, values = stages["order"], [b"%d" % n for n in range(250)]
    ended: list[BatchProgress] = []
    stage.source.on_batch(ended.append)
    for partition in range(3):
        stage.produce(partition, *values, key=b"u%d" % partition)
    stage.produce(3, None)
    eventually(lambda: sum(progress.records for progress in ended) == 751)
    assert [stage.seen(partition) for partition in range(4)] == [values, values, values, [None]]
    eventually(lambda: stage.committed() == [250, 250, 250, 1])
    assert all(sum(map(len, event.values())) <= 100 for event in stage.events())
    assert stage.events()[0].popitem()[1][0]["headers"] == [{"source": [-1, 120]}]
    stats = stage.source.stats
    assert (stats.records, stats.failures, stats.environments) == (751, 0, 2)
    assert stats.batches == stats.invocations == len(ended) == len(stats.durations)
    assert not any(progress.given_up for progress in ended)


def test_a_failing_partition_retries_the_same_batch_while_others_continue(stages: dict[str, MappingStage]) -> None:
    stage = stages["retry"]
    broken = stage.breaks(0)
    stage.produce(0, b"a", b"b")
    eventually(lambda: stage.source.stats.retries >= 3)
    stage.produce(0, b"c")
    stage.produce(1, b"d")
    eventually(lambda: stage.seen(1) == [b"d"])
    assert stage.committed()[0] is None
    broken.unlink()
    eventually(lambda: stage.source.stats.records == 4)
    runs = stage.runs(0)
    assert runs == [[b"a", b"b"]] * (len(runs) - 1) + [[b"c"]]
    eventually(lambda: stage.committed()[:2] == [3, 1])


def test_a_killed_environment_is_replaced_and_the_batch_is_sent_again(stages: dict[str, MappingStage]) -> None:
    stage = stages["kill"]
    assert not stage.source.kill_environment()
    stage.slow.touch()
    stage.produce(2, b"a")
    eventually(lambda: stage.seen(2))
    assert stage.source.kill_environment()
    eventually(lambda: len(stage.seen(2)) == 2)
    stage.slow.unlink()
    eventually(lambda: stage.source.stats.records)
    stats = stage.source.stats
    assert (stats.failures, stats.retries, stats.environments, stats.batches) == (1, 1, 2, 1)
    eventually(lambda: stage.committed()[2] == 1)


def test_what_is_given_up_is_in_s3_and_committed(stages: dict[str, MappingStage], s3: "S3Client") -> None:
    stage = stages["failure"]
    stage.breaks(1)
    stage.produce(1, b"a")
    eventually(lambda: stage.source.stats.given_up)
    stage.produce(0, b"c")
    eventually(lambda: stage.source.stats.records == 2)
    (found,) = s3.list_objects_v2(Bucket="failures")["Contents"]
    stored = json.loads(s3.get_object(Bucket="failures", Key=found["Key"])["Body"].read())
    assert found["Key"].startswith(f"aws/lambda/{stage.mapping.id}/failure-1/")
    assert stored["requestContext"]["approximateInvokeCount"] == 3
    assert json.loads(stored["payload"])["records"] == stage.events()[0]
    eventually(lambda: stage.committed()[:2] == [1, 1])


def test_stopping_ends_the_batch_in_flight_and_leaves_the_rest_for_the_next_start(
    stages: dict[str, MappingStage],
) -> None:
    stage, values = stages["stop"], [b"%d" % n for n in range(10)]
    stage.slow.touch()
    stage.produce(0, *values)
    eventually(lambda: stage.seen(0))
    in_flight = len(stage.seen(0))
    Timer(0.3, stage.slow.unlink).start()
    stage.source.stop()
    assert stage.committed()[0] == in_flight < 10
    with stage.source:
        eventually(lambda: stage.source.stats.records == 10)
    assert stage.seen(0) == values


def test_stopping_within_a_bound_kills_what_hangs(stages: dict[str, MappingStage]) -> None:
    stage = stages["bound"]
    stage.slow.touch()
    stage.produce(0, b"a")
    eventually(lambda: stage.seen(0))
    stage.source.stop(within=0.2)  # without the kill this would wait for the function's timeout, longer than a test may
    assert stage.committed()[0] is None


def test_an_exception_in_a_callback_ends_the_run_and_is_raised_by_stop(stages: dict[str, MappingStage]) -> None:
    stage = stages["callback"]

    def draw(_: BatchProgress) -> None:
        raise RuntimeError("drawing failed")

    stage.source.on_batch(draw)
    stage.produce(0, b"a")
    eventually(lambda: stage.source.error)
    with pytest.raises(RuntimeError, match="drawing"):
        stage.source.stop()


def test_latest_starts_with_what_comes_after(stages: dict[str, MappingStage]) -> None:
    stages["latest"].produce(0, b"after")
    eventually(lambda: stages["latest"].seen(0))
    assert stages["latest"].seen(0) == [b"after"]
