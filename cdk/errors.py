"""The errors that end a synthesis."""


class InvalidConfig(Exception):  # noqa: N818 - named like the core's errors, by what is wrong
    """A value of the stage configuration is invalid; the message has its name, the value and what is expected."""


class InvalidBundle(Exception):  # noqa: N818
    """The function's zip cannot be built; the message is uv's, on one line."""
