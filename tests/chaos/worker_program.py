"""The `worker` runtime with the pipeline of chaos runs."""

from functions.cli.main import main
from tests.chaos import pipeline

if __name__ == "__main__":
    pipeline.install()
    main()
