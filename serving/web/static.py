"""The page and what it loads: files of this package, read once, served with an entity tag.

Turns a file name into a response. Time rule: none. Null rule: an unknown name is a 404 problem.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from serving.problems import RouteNotFoundError

__all__ = ["asset", "page"]

_FOLDER = Path(__file__).parents[1] / "pages"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@cache
def _files() -> dict[str, tuple[bytes, str, str]]:
    """Content, media type and entity tag by file name."""
    paths = sorted(path for path in _FOLDER.iterdir() if path.suffix in _TYPES)
    contents = {path: path.read_bytes() for path in paths}
    return {
        path.name: (content, _TYPES[path.suffix], f'"{sha256(content).hexdigest()[:20]}"')
        for path, content in contents.items()
    }


def page() -> Response:
    """The application shell."""
    content, media_type, _ = _files()["index.html"]
    return Response(content, media_type=media_type)


def asset(request: Request) -> Response:
    """A style sheet, script or image of the page; 304 when the browser has it."""
    name = request.path_params["name"]
    if name not in _files() or name == "index.html":
        raise RouteNotFoundError(f"no such file: {name}")
    content, media_type, tag = _files()[name]
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)
