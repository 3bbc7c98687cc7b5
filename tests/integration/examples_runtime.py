"""Both runtimes with the pipelines of docs/examples: Lambda's handler, and the worker as a program."""

import functions.pipelines

functions.pipelines.__path__.insert(0, "docs/examples")

if __name__ == "__main__":
    from functions.cli.main import main

    main()
else:
    from functions.runtimes.msk.handler import handler

    __all__ = ["handler"]
