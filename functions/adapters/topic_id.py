"""The ID of a topic, which one that is created again under its name does not share."""

from typing import Final

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from functions.adapters.admin_answers import answer_of

UNTOLD: Final = (
    # librdkafka's own errors are named with an underscore.
    KafkaError._UNSUPPORTED_FEATURE,  # noqa: SLF001 - brokers older than topic IDs
    KafkaError.UNSUPPORTED_VERSION,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,  # to describe is a separate permission
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
)
NO_ID: Final = "AAAAAAAAAAAAAAAAAAAAAA"  # zero, from brokers that know no IDs


def topic_id(admin: AdminClient, topic: str, timeout: float) -> str | None:
    """Return the ID; None where the brokers do not report it. Raises KafkaException. `timeout` in seconds."""
    try:
        futures = admin.describe_topics(TopicCollection([topic]), request_timeout=timeout)
        found = str(answer_of(futures[topic], timeout).topic_id)
    except KafkaException as error:
        if error.args[0].code() in UNTOLD:
            return None
        raise
    return None if found == NO_ID else found
