"""Creates the topics and stores that the declared pipelines need and that do not exist yet: a program of its own.

Runs when a pipeline's file is saved, because a new process imports the file as it is now. Whatever is wrong with it is
one line on standard error, and exit code 2.
"""

import os
import sys
from typing import Any

from boto3 import Session

from functions import registry
from functions.core.errors import Misconfigured
from sandbox import stores
from sandbox.broker.broker import Broker
from sandbox.topics import PipelineTopics


def prepare(stage: str, lake: str, dead_letters: str, broker: Broker) -> list[str]:
    """Create what is missing, for all pipelines; return their names."""
    pipelines = registry.load_all()
    client: Any = Session().client
    stores.create(client, stage, pipelines.values(), lake, dead_letters)
    for pipeline in pipelines.values():
        for topic in (pipeline.topic, *(sink.name for sink in pipeline.topics)):
            PipelineTopics.create(broker, topic)
    return list(pipelines)


def main() -> int:
    """Prepare the stage that the variables describe, and print the pipelines' names."""
    variables = os.environ
    broker = Broker("apache", variables["TANDEM_BOOTSTRAP_SERVERS"])
    try:
        names = prepare(
            variables["TANDEM_STAGE"], variables["TANDEM_LAKE_BUCKET"], variables["TANDEM_DEAD_LETTER_BUCKET"], broker
        )
    except Misconfigured as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except Exception as error:  # noqa: BLE001 - a pipeline's file may raise anything
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 2
    sys.stdout.write("\n".join(names))
    return 0


if __name__ == "__main__":
    sys.exit(main())
