"""The version that `tandem --version` prints.

A constant, since the image and the Lambda zip hold the package without an installer's metadata. A test compares it with
pyproject.toml.
"""

VERSION = "0.2.0"
