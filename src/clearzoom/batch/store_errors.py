"""Say why an object store failed, in its own words, and what to do."""

import tempfile

from clearzoom.errors import ClearzoomError, FullDiskError, InputError, StoreError
from clearzoom.io.libvips_errors import is_full

_CREDENTIALS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
_ENDPOINT = "check the network, and AWS_ENDPOINT_URL if it is s3://"
_REMEDIES = {
    "NoCredentialsError": _CREDENTIALS,
    "PartialCredentialsError": _CREDENTIALS,
    "ProfileNotFound": "check AWS_PROFILE",
    "PermissionError": "check the credentials, and what they allow",
    "FileNotFoundError": "check the name, or make the bucket",
    "ConnectionError": _ENDPOINT,
    "HTTPClientError": _ENDPOINT,
    "TimeoutError": _ENDPOINT,
}
"""By the name of an error's class, as those of botocore are loaded only where they are raised."""


def store_reason(error: Exception) -> str:
    """Say why a store failed, in its own words, and what to do where that is known.

    Args:
        error: as the store's library raised it; those of several libraries share no base.

    Example:
        >>> store_reason(PermissionError("Access Denied"))
        'Access Denied; check the credentials, and what they allow'
    """
    reason = (str(error) or type(error).__name__).rstrip(".")
    if reason.startswith("Invalid endpoint"):
        return f"{reason}; write AWS_ENDPOINT_URL with http:// or https://"
    remedies = (_REMEDIES.get(kind.__name__) for kind in type(error).__mro__)
    remedy = next(filter(None, remedies), None)
    return f"{reason}; {remedy}" if remedy else reason


def unlisted(address: str, error: Exception) -> InputError:
    """Build the error for a folder that a store did not list.

    Args:
        address: the folder.
        error: as the store's library raised it.
    """
    if type(error).__name__ == "ParamValidationError":  # of botocore, before it asks anybody
        return InputError(f"{address} has no bucket's name; write it like s3://bucket/scans")
    return StoreError(f"cannot list {address}: {store_reason(error)}")


def unreadable_object(address: str, error: Exception) -> ClearzoomError:
    """Build the error for an object of which no copy could be made.

    Args:
        address: the object.
        error: as the store's library raised it.
    """
    if isinstance(error, OSError) and is_full(error):
        return no_room_for_copies()
    return StoreError(f"cannot read {address}: {store_reason(error)}")


def no_room_for_copies() -> FullDiskError:
    """Build the error for a full disk of temporary files."""
    return FullDiskError(
        f"no room for a copy in the folder {tempfile.gettempdir()} for temporary files; make room, "
        "or set TMPDIR to another folder"
    )
