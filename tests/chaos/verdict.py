"""Reading everything back, without the pipeline's code, and comparing it with what lies in the log."""

from functions.local.demo import read_back
from functions.local.demo.announcements import Announcements
from functions.local.demo.verdict import Verdict
from functions.local.demo.verify import Verification
from tests.chaos import log
from tests.chaos.ground import OUTPUT_PARTITIONS, Ground
from tests.chaos.load import Load, produced


def verdict(ground: Ground, load: Load, announcements: Announcements) -> Verdict:
    """Of a run that is over."""
    announcements.stop()
    stage = ground.stage
    output = log.read(stage.broker.bootstrap, stage.pipeline.topics[0].name, OUTPUT_PARTITIONS)
    found = read_back.everything(stage, [log.row(message) for _, message in output], announcements)
    return Verification(produced(ground, load.records), found, stage.mask_key).verdict()
