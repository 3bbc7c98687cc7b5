"""What stops a synthesis."""


class InvalidConfig(Exception):  # noqa: N818 - named like the core's: by what is wrong
    """A value of the stage configuration cannot work; the message names it, what it got and what it takes."""


class InvalidBundle(Exception):  # noqa: N818
    """The function's zip cannot be built; the message says what uv said, on one line."""
