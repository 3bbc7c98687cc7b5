"""Why a broker cannot run. Imports only the standard library, so that jars can be fetched before packages."""


class BrokerUnavailable(Exception):  # noqa: N818 - named as the other errors are
    """This broker cannot run here. The message is one line for the user."""
