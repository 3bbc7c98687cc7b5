"""The simulation from the command line: many schedules, or one to look at.

    python -m tests.simulation                       20,000 schedules on every core
    python -m tests.simulation --seed 123            one schedule, told call by call
    python -m tests.simulation --mutation own-day    with a flaw put in: it must fail
"""

import argparse
import os
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from itertools import batched
