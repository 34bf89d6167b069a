"""Which requests the page answers: its own, and uploads within limits (ASGI middleware)."""

import contextlib
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

# Whatever a version of Gradio's page asks for, the browser gets nothing from other hosts.
POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' blob: data:; "
    "frame-ancestors 'self'; form-action 'self'"
)
GIGABYTE = 10**9
MAX_UPLOAD = GIGABYTE  # bytes of a request
MAX_STORED = 4 * GIGABYTE  # bytes of all files that the page keeps


class Guard:
    """Refuses what other sites let a browser send, and uploads that are too large.

    Args:
      folder: where uploads are kept.
      max_upload: bytes of a request.
      max_stored: bytes of all files in `folder`, with those that are being uploaded.
    """

    def __init__(
        self, app, folder: Path, max_upload: int = MAX_UPLOAD, max_stored: int = MAX_STORED
    ):
        self.app = app
        self.folder = folder
        self.max_upload = max_upload
        self.max_stored = max_stored
        self._coming = 0  # bytes of uploads that are under way

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":  # Gradio uses no others but that of start and end
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        told = headers.get("content-length", "0")
        length = int(told) if told.isdecimal() else 0
        upload = headers.get("content-type", "").startswith("multipart/")
        refused = _foreign(scope, headers) or self._too_large(headers, length, upload)
        if refused is not None:
            status, text = refused
            # The body of the request is not read.
            answer = PlainTextResponse(text, status, headers={"connection": "close"})
            await answer(scope, receive, send)
            return

        async def send_with_policy(message):
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("content-security-policy", POLICY)
            await send(message)

        self._coming += upload * length
        try:
            await self.app(scope, receive, send_with_policy)
        finally:
            self._coming -= upload * length

    def _too_large(self, headers, length, upload) -> tuple[int, str] | None:
        """Status and message where the body is too large, or of unknown length."""
        if "transfer-encoding" in headers:
            return 411, "The length of an upload must be told."
        if length > self.max_upload:
            return 413, (
                f"These files have {_size(length)}, and at most {_size(self.max_upload)} can be "
                "uploaded at once: upload fewer, or use the command line."
            )
        if upload and _stored(self.folder) + self._coming + length > self.max_stored:
            return 507, (
                f"The page keeps at most {_size(self.max_stored)} of files: end it and start it "
                "anew, which deletes them."
            )
        return None


def _foreign(scope, headers) -> tuple[int, str] | None:
    """Status and message where another site lets the browser ask; links to the page may do so."""
    follows_link = scope["method"] == "GET" and headers.get("sec-fetch-mode") == "navigate"
    own = f"{scope['scheme']}://{headers.get('host', '')}"
    if headers.get("origin", own) == own and (
        headers.get("sec-fetch-site", "none") in ("none", "same-origin") or follows_link
    ):
        return None
    return 403, "This page answers no requests of other sites."


def _stored(folder: Path) -> int:
    """Bytes of all files in a folder."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # removed meanwhile
            total += path.lstat().st_size
    return total


def _size(bytes: int) -> str:
    return f"{bytes / GIGABYTE:.1f} GB"
