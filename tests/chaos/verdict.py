"""Reading everything back, without the pipeline's code, and comparing it with the content of the log."""

from sandbox.demo import read_back
from sandbox.demo.listen import Announcements
from sandbox.demo.verify import Verdict, Verification
from tests.chaos import log
from tests.chaos.load import Load, produced
from tests.chaos.stack import ChaosStack


def verdict(stack: ChaosStack, load: Load, announcements: Announcements) -> Verdict:
    """Verify a run that has ended."""
    announcements.stop()
    stage = stack.stage
    output = log.read(stage.broker.bootstrap, stage.pipeline.topics[0].name, stack.output_partitions)
    contents = read_back.everything(stage, [log.row(message) for _, message in output], announcements)
    return Verification(produced(stack, load.records), contents, stage.mask_key).verdict()
