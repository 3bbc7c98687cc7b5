"""The here-documents of "Deployment": its programs run on a real broker, and its files are valid."""

import json
import os
import re
import subprocess
import sys

import yaml
from confluent_kafka.admin import AdminClient

from functions.core.topic_config import TopicConfig
from sandbox.broker.apache import Apache
from tests.docs.pages import page

HERE_DOCUMENT = re.compile(r"^([^\n]+) <<'?EOF'?\n(.*?)\nEOF$", re.DOTALL | re.MULTILINE)


def here_documents(program: str) -> list[str]:
    """The here-documents whose command ends like this."""
    return [
        text for command, text in HERE_DOCUMENT.findall(page("docs/deployment.md").text) if command.endswith(program)
    ]


def output(program: str, broker: Apache) -> str:
    """The program's output, in the environment of the admin pod."""
    environment = os.environ | {
        "TANDEM_STAGE": "dev",
        "TANDEM_PIPELINE": "logins",
        "TANDEM_LAKE_BUCKET": "lake",
        "TANDEM_DEAD_LETTER_BUCKET": "dead-letters",
        "TANDEM_MASK_KEY_FROM": "file:/never/read",
        "TANDEM_BOOTSTRAP_SERVERS": broker.bootstrap,
        "TANDEM_KAFKA_AUTH": "plaintext",
    }
    return subprocess.run(
        [sys.executable, "-"], input=program, env=environment, capture_output=True, text=True, check=True
    ).stdout


def test_the_admin_pod_creates_the_topics_and_sends_a_first_record(empty_kafka: Apache) -> None:
    topics, record = here_documents("python -")
    assert output(topics, empty_kafka) == "user-login created\nprocessed-user-login created\n"
    assert output(record, empty_kafka) == "0\n"
    found = AdminClient({"bootstrap.servers": empty_kafka.bootstrap}).list_topics("user-login", timeout=10)
    assert len(found.topics["user-login"].partitions) == TopicConfig().partitions


def test_the_files_of_the_admin_pod_are_valid() -> None:
    (trust,) = here_documents("> build/trust.json")
    assert json.loads(trust)["Statement"][0]["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    (pod,) = here_documents("kubectl apply -f -")
    assert yaml.safe_load(pod)["kind"] == "Pod"
