"""What a late refusal means: the `errorCode` of a `message.failed` or of a message read back (contract section 5)."""

from pilotbot.platform.codes import LATE, NO_CODE, OF_THE_NUMBER, THROTTLED, UNKNOWN, Failure, FailureFamily, throttling


def failure_family(error_code: str | None) -> FailureFamily:
    """Sort the `errorCode` of a `message.failed` by what may be done (contract section 5). Never raises."""
    return failure(error_code).family


def failure_remedy(error_code: str | None) -> str:
    """Return the sentence that tells operations people what to do about a `message.failed`."""
    return failure(error_code).remedy


def failure(code: str | None) -> Failure:
    """What is known of the `errorCode` of a `message.failed`: its family, what happened, what is to be done. Never raises."""
    if code is None:
        return NO_CODE
    if code in LATE:
        return LATE[code]
    if throttling(code):
        return THROTTLED
    return OF_THE_NUMBER if code.startswith("NUMBER_") else UNKNOWN
