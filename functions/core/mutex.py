"""A lock as a port: the core starts no threads, but its callers may settle several partitions on some."""

from typing import Protocol


class Mutex(Protocol):
    """A lock, such as threading.Lock."""

    def acquire(self, blocking: bool = True) -> bool:  # noqa: FBT001, FBT002 - the signature of threading.Lock
        """Acquire the lock; without `blocking`, return False if another holder has it."""

    def release(self) -> None:
        """Release the lock."""


class NoMutex:
    """The lock of a process that settles on one thread."""

    def acquire(self, blocking: bool = True) -> bool:  # noqa: ARG002, FBT001, FBT002 - see Mutex
        """Return True."""
        return True

    def release(self) -> None:
        """Do nothing."""
