"""The one exception that means: the input is at fault, and here is what was expected."""


class InputError(ValueError):
    """Input that cannot be used as given.

    The message is one sentence for the person who supplied the input, in the form
    ``expected ...; received ...``. The command line prints it on one line and exits with code 2; a
    server answers INVALID_ARGUMENT with it. Anything that is our own mistake is some other
    exception and keeps its traceback.
    """


class TrainingDiverged(RuntimeError):
    """A training run met a number that is not finite, and ended before it was written anywhere.

    The command line prints the message on one line and exits with code 1.
    """


class TrustWarning(UserWarning):
    """A model answers about something that it was not taught; said once, with what to do."""


class MisfitWarning(TrustWarning):
    """Answers so far surprise the model more than its own simulations ever would."""


class RangeWarning(TrustWarning):
    """A design or an outcome lies outside of the range that the model was trained on."""


def first_line(error: BaseException) -> str:
    """What an exception says first; its type where it says nothing. Libraries go on for pages.

    Args:
        error: of any library.

    Example:
        >>> from aline_tf.errors import first_line
        >>> first_line(ValueError("no such key, see below")), first_line(OSError())
        ('no such key, see below', 'OSError')
    """
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
