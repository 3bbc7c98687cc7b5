"""The files of a new pipeline: `$name`, `$module` (the name as Python writes it) and `$topic` are filled in."""

from string import Template
from typing import Final

PIPELINE: Final = Template('''\
"""The $name pipeline.

Change the topic, both models, `process` and the sinks: docs/write-a-pipeline.md explains each of them.
"""

from pydantic import AwareDatetime, BaseModel

from functions.core.errors import Reject
from functions.core.pipeline import Pipeline
from functions.core.sinks import MINUTE, Counters, Lake


class Event(BaseModel):
    """A record's value, as JSON. A record that does not match becomes a dead letter with the reason `invalid`."""

    id: str
    amount: int
    at: AwareDatetime


class Row(BaseModel):
    """What the sinks store. Declare personal data as `Masked`, from functions.core.masking."""

    id: str
    amount: int
    at: AwareDatetime


def process(event: Event) -> Row | None:
    """Return a row, or None to drop the record. A Reject makes the record a dead letter."""
    if event.amount < 0:
        raise Reject("amount: expected 0 or more")
    if event.amount == 0:
        return None
    return Row(id=event.id, amount=event.amount, at=event.at)


PIPELINE = Pipeline(
    name="$name",
    topic="$topic",
    event=Event,
    row=Row,
    process=process,
    sinks=(
        # Every row, as Parquet on S3.
        Lake(),
        # The rows of each minute, and the sum of their amounts.
        Counters("$name", by=(), every=MINUTE, at="at", sums=("amount",)),
    ),
)
''')
TEST: Final = Template('''\
"""The $name pipeline: what a record becomes."""

from datetime import UTC, datetime

from functions.core.dead_letter import Reason
from functions.pipelines.$module import PIPELINE
from functions.testing import evaluated

EVENT = {"id": "1", "amount": 250, "at": "2026-11-25T13:00:00+01:00"}


def test_an_event_becomes_a_row() -> None:
    assert evaluated(PIPELINE, EVENT).rows == [{"id": "1", "amount": 250, "at": datetime(2026, 11, 25, 12, tzinfo=UTC)}]


def test_an_event_without_an_amount_is_dropped() -> None:
    assert evaluated(PIPELINE, EVENT | {"amount": 0}).dropped


def test_a_negative_amount_is_rejected() -> None:
    result = evaluated(PIPELINE, EVENT | {"amount": -1})
    assert (result.reason, result.detail) == (Reason.REJECTED, "amount: expected 0 or more")
''')
WORKER: Final = Template("""\
# functions/pipelines/$module.py on EKS.
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../../base]
nameSuffix: -$name
labels:
  - pairs:
      tandem/pipeline: "$name"
    includeSelectors: true
commonAnnotations:
  tandem/topic: "$topic" # KEDA reads the lag of this topic
""")
