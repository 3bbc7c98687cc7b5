"""The names that code, CDK, manifests and dashboards must agree on: one source for all of them."""


def group(stage: str, pipeline: str) -> str:
    """The consumer group, the same for both runtimes."""
    return f"{stage}-{pipeline}"


def ledger_table(stage: str) -> str:
    """The DynamoDB table of the ledger, one a stage."""
    return f"tandem-{stage}-ledger"


def counters_table(stage: str) -> str:
    """The DynamoDB table of all counters, one a stage."""
    return f"tandem-{stage}-counters"


def rows_table(stage: str, table: str) -> str:
    """The DynamoDB table of one Table sink."""
    return f"tandem-{stage}-table-{table}"


def dead_letter_queue(stage: str) -> str:
    """The SQS queue in which every dead letter is announced, one a stage."""
    return f"tandem-{stage}-dead-letters"
