"""The only door to the S3 store: the SDK, its private corners, and the threads it blocks in.

The SDK's own ``put_object`` for streams of unknown length hides its buffers and its threads; the
three calls of a multipart upload are private there, so they are named here and nowhere else.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any, ParamSpec, TypeVar, cast

import urllib3
from minio import Minio
from minio.datatypes import Part
from minio.deleteobjects import DeleteObject
from minio.error import MinioException, S3Error
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse
from urllib3.util import Retry, Timeout

from core.errors import Unavailable
from core.settings import settings

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 16
_NO_SUCH = {"NoSuchKey", "NoSuchObject", "NoSuchBucket", "ResourceNotFound"}
_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="s3")


class NoSuchObject(Exception):
    """The store has no object under this key."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What a listing says of an object or an unfinished upload."""

    key: str
    modified_at: datetime
    upload_id: str = ""


async def off_loop(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking call in the room's own threads, so that uploads starve nobody else."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads, lambda: function(*args, **kwargs))


async def call(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Talk to the store; raises `NoSuchObject`, or `Unavailable` (`storage_unavailable`)."""
    try:
        return await off_loop(function, *args, **kwargs)
    except S3Error as problem:
        if problem.code in _NO_SUCH:
            raise NoSuchObject(problem.object_name) from problem
        raise _unavailable(problem) from problem
    except (MinioException, HTTPError, OSError) as problem:
        raise _unavailable(problem) from problem


async def ensure_bucket() -> None:
    """Make the bucket if it is not there."""
    if await call(client().bucket_exists, bucket()):
        return
    try:
        await off_loop(client().make_bucket, bucket())
    except S3Error as problem:
        if problem.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
            raise _unavailable(problem) from problem
    except (MinioException, HTTPError, OSError) as problem:
        raise _unavailable(problem) from problem


@lru_cache(maxsize=1)
def client() -> Minio:
    """The client of this process; its pool serves all threads."""
    where = settings().s3
    pool = urllib3.PoolManager(
        maxsize=THREADS,
        block=False,
        timeout=Timeout(connect=5, read=120),
        retries=Retry(total=3, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504]),
    )
    return Minio(
        where.endpoint,
        access_key=where.access_key,
        secret_key=where.secret_key,
        secure=where.secure,
        region="us-east-1",  # saves a question before each call; stores of our own have no regions
        http_client=pool,
    )


def bucket() -> str:
    """The bucket all blobs lie in."""
    return settings().s3.bucket


def put(key: str, body: bytes | bytearray) -> None:
    """Put a small object in one request."""
    client()._put_object(bucket(), key, cast(bytes, body), _headers())


def begin(key: str) -> str:
    """Open a multipart upload; answers its id."""
    return str(client()._create_multipart_upload(bucket(), key, _headers()))


def put_part(key: str, upload_id: str, number: int, body: bytes | memoryview) -> str:
    """Put one part; answers its entity tag."""
    return str(client()._upload_part(bucket(), key, cast(bytes, body), None, upload_id, number))


def complete(key: str, upload_id: str, tags: list[str]) -> None:
    """Close a multipart upload: from here on the object exists."""
    parts = [Part(number, tag) for number, tag in enumerate(tags, start=1)]
    client()._complete_multipart_upload(bucket(), key, upload_id, parts)


def abort(key: str, upload_id: str) -> None:
    """Throw a multipart upload away with its parts."""
    client()._abort_multipart_upload(bucket(), key, upload_id)


def size_of(key: str) -> int:
    """How many bytes the store has under `key`."""
    return int(client().stat_object(bucket(), key).size or 0)


def get(key: str, start: int, length: int) -> BaseHTTPResponse:
    """Open an object for reading from `start`; the caller closes and releases the answer."""
    answer: BaseHTTPResponse = client().get_object(bucket(), key, offset=start, length=length)
    return answer


def get_whole(key: str, size: int) -> tuple[bytes, str]:
    """All of an object in one go, with its SHA-256; nothing of one that has not `size` bytes.

    Without a range, which costs the store a fifth more.
    """
    answer: BaseHTTPResponse = client().get_object(bucket(), key)
    try:
        if answer.headers.get("content-length") != str(size):
            answer.close()
            return b"", ""
        content = answer.read()
    except BaseException:
        answer.close()  # what was read to its end leaves a connection for the next one
        raise
    finally:
        answer.release_conn()
    return content, hashlib.sha256(content).hexdigest()


def remove(keys: Iterable[str]) -> None:
    """Remove objects; ones that are gone already are no error."""
    problems = client().remove_objects(bucket(), [DeleteObject(key) for key in keys])
    for problem in problems:
        raise MinioException(f"{problem.code}: {problem.message}")


class Listing:
    """All objects under a prefix, by pages, for a caller who lives on the event loop."""

    def __init__(self, prefix: str) -> None:
        self._found = client().list_objects(bucket(), prefix=prefix, recursive=True)

    def page(self, size: int = 500) -> list[StoredObject]:
        """The next objects; empty at the end. Blocks."""
        return [
            StoredObject(str(found.object_name), found.last_modified)
            for found in islice(self._found, size)
            if found.last_modified is not None
        ]


def unfinished(prefix: str) -> list[StoredObject]:
    """Multipart uploads that were begun and neither completed nor thrown away (at most 1,000)."""
    found: Any = client()._list_multipart_uploads(bucket(), prefix=prefix)
    return [
        StoredObject(upload.object_name, upload.initiated_time, upload.upload_id)
        for upload in found.uploads
        if upload.initiated_time is not None
    ]


def _headers() -> dict[str, str | list[str] | tuple[str]]:
    return {"Content-Type": "application/octet-stream"}


def _unavailable(problem: Exception) -> Unavailable:
    return Unavailable(
        "Хранилище файлов не отвечает. Повторите через минуту.",
        "The file store does not answer. Try again in a minute.",
        code="storage_unavailable",
        cause=type(problem).__name__,
    )
