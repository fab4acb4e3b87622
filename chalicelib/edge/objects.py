"""Files in the bucket: written in pieces, so that one of any size needs the memory of a piece."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from chalicelib.config import settings
from chalicelib.edge.storage import aws_client

PIECE_BYTES = 5 * 1024 * 1024
"""S3 takes no smaller one, but for the last."""
LINK_SECONDS = 300


def write(key: str, texts: Iterable[str], content_type: str) -> str:
    """Keep a file under a key in place of what was there; its SHA-256.

    What a crash leaves unfinished is seen by nobody, and the bucket drops it after two days.
    """
    digest = hashlib.sha256()
    pieces = _pieces(texts)
    first = next(pieces, b"")
    digest.update(first)
    second = next(pieces, None)
    place = {"Bucket": settings().bucket, "Key": key}
    if second is None:
        aws_client("s3").put_object(**place, Body=first, ContentType=content_type)
        return digest.hexdigest()
    upload = aws_client("s3").create_multipart_upload(**place, ContentType=content_type)
    place["UploadId"] = upload["UploadId"]
    parts = [_part(place, 1, first)]
    del first
    piece: bytes | None = second
    del second
    while piece is not None:
        digest.update(piece)
        parts.append(_part(place, len(parts) + 1, piece))
        piece = next(pieces, None)
    aws_client("s3").complete_multipart_upload(**place, MultipartUpload={"Parts": parts})
    return digest.hexdigest()


def _part(place: dict[str, str], number: int, content: bytes) -> dict[str, Any]:
    answer = aws_client("s3").upload_part(**place, PartNumber=number, Body=content)
    return {"PartNumber": number, "ETag": answer["ETag"]}


def _pieces(texts: Iterable[str]) -> Iterator[bytes]:
    waiting = bytearray()
    for text in texts:
        waiting += text.encode()
        while len(waiting) >= PIECE_BYTES:
            yield bytes(waiting[:PIECE_BYTES])
            del waiting[:PIECE_BYTES]
    if waiting:
        yield bytes(waiting)


def read(key: str) -> bytes:
    """A file that is kept, whole: for files of a few megabytes."""
    answer = aws_client("s3").get_object(Bucket=settings().bucket, Key=key)
    content: bytes = answer["Body"].read()
    return content


def digest_of(texts: Iterable[str]) -> str:
    """The SHA-256 of a file that is not kept."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode())
    return digest.hexdigest()


def link_to(key: str) -> str:
    """An address at which whoever has it can read the file, for five minutes."""
    place = {"Bucket": settings().bucket, "Key": key}
    address: str = aws_client("s3").generate_presigned_url(
        "get_object", Params=place, ExpiresIn=LINK_SECONDS
    )
    return address
