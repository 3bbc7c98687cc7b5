"""What "deployment" feeds to programs: the programs of its desk run on a real broker, the files are what they say."""

import json
import os
import re
import subprocess
import sys

import yaml
from confluent_kafka.admin import AdminClient

from functions.core.topic_config import TopicConfig
from functions.local.broker.apache import Apache
from tests.docs.pages import page

FED = re.compile(r"^([^\n]+) <<'?EOF'?\n(.*?)\nEOF$", re.DOTALL | re.MULTILINE)


def fed(program: str) -> list[str]:
    """The here-documents of the page whose command ends so."""
    return [text for command, text in FED.findall(page("docs/deployment.md").text) if command.endswith(program)]


def ran(program: str, broker: Apache) -> str:
    """What it prints, in the environment that the desk has from stage.env."""
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


def test_the_desk_makes_the_topics_and_sends_a_first_record(empty_kafka: Apache) -> None:
    topics, record = fed("python -")
    assert ran(topics, empty_kafka) == "user-login made\nprocessed-user-login made\n"
    assert ran(record, empty_kafka) == "0\n"
    found = AdminClient({"bootstrap.servers": empty_kafka.bootstrap}).list_topics("user-login", timeout=10)
    assert len(found.topics["user-login"].partitions) == TopicConfig().partitions


def test_the_files_of_the_desk_are_what_they_say() -> None:
    (trust,) = fed("> build/trust.json")
    assert json.loads(trust)["Statement"][0]["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    (pod,) = fed("kubectl apply -f -")
    assert yaml.safe_load(pod)["kind"] == "Pod"
