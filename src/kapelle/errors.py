"""Every error that Kapelle raises on purpose.

A message is one line that says what was expected, what came, and what to do.
The command line prints it and exits with code 2.
"""


class KapelleError(Exception):
    """The root of Kapelle's own errors: something the user can mend."""


class FileError(KapelleError):
    """A file that cannot be read, understood or written."""


class StyleError(KapelleError):
    """A style that is missing, damaged, of a newer version, or not fit for what was asked."""


class CorpusError(KapelleError):
    """A collection of music that cannot be learnt from."""


class RunError(KapelleError):
    """A training run that cannot be begun, gone on with, or read."""


class WishError(KapelleError):
    """A wish that cannot be met, by itself or together with another one."""


class MissingExtra(KapelleError):
    """A part of Kapelle whose optional libraries are not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs the extra '{extra}': pip install 'kapelle[{extra}]', or in a checkout '.[{extra}]'"
        )


class CodecError(KapelleError):
    """Music that a codec cannot say, or steps that are not music."""
