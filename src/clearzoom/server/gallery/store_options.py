"""How the server reads an object store: people wait for its answers."""

from clearzoom.batch.object_store import ObjectStore

_S3 = {
    # A hung request must not hold a thread for longer than anybody waits.
    "config_kwargs": {
        "retries": {"total_max_attempts": 1, "mode": "standard"},
        "connect_timeout": 5,
        "read_timeout": 10,
    },
    # Each answer is compared with the version that was opened; not all stores heed If-Match.
    "local_expiry_check": True,
}
_S3_TRIES = 2


def store_of(url: str) -> ObjectStore:
    """Open a folder of an object store.

    Raises:
        MissingExtraError: what reads the store is not installed.
        InputError: the kind of URL is unknown, or the store cannot be reached.
    """
    if not url.startswith(("s3:", "s3a:")):
        return ObjectStore(url)
    store = ObjectStore(url, **_S3)
    store.files.retries = _S3_TRIES
    return store
