"""The variables of both runtimes: what functions.settings reads, from one source for Lambda and EKS.

Which variables there are, a test takes from functions.settings itself.
"""

from typing import Final

from cdk.config import StageConfig
from cdk.stacks.kafka import Kafka
from cdk.stacks.stores import Stores

METRICS_SECONDS: Final = "60"  # between a worker's puts: the period of the alarms, and CloudWatch asks money for each


def common(stage: StageConfig, kafka: Kafka, stores: Stores) -> dict[str, str]:
    """What every process of a stage has, whichever pipeline and runtime it is."""
    variables = {
        "TANDEM_STAGE": stage.name,
        "TANDEM_LAKE_BUCKET": stores.lake.bucket_name,
        "TANDEM_DEAD_LETTER_BUCKET": stores.dead_letters.bucket_name,
        "TANDEM_MASK_KEY_FROM": stores.mask_key.secret_arn,
        "TANDEM_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "TANDEM_KAFKA_AUTH": stage.kafka_auth,
    }
    if kafka.scram_secret is not None:
        variables["TANDEM_SCRAM_FROM"] = kafka.scram_secret.secret_arn
    return variables


def of_function(pipeline: str, stage: StageConfig, kafka: Kafka, stores: Stores) -> dict[str, str]:
    """A function's. Lambda itself sets AWS_REGION, and takes it from nobody."""
    return common(stage, kafka, stores) | {
        "TANDEM_PIPELINE": pipeline,
        "TANDEM_LOG_LEVEL": stage.run(pipeline).log_level,
    }


def of_workers(stage: StageConfig, kafka: Kafka, stores: Stores) -> str:
    """The file `stage.env` of the stage's overlay, as it stands; a worker's own manifest adds pipeline and rack."""
    variables = common(stage, kafka, stores) | {
        "AWS_REGION": stage.region,
        "TANDEM_CLOUDWATCH_SECONDS": METRICS_SECONDS,
    }
    return "".join(f"{name}={value}\n" for name, value in variables.items())
