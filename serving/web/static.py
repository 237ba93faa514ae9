"""The page and what it loads: files of this package, read once.

Turns a file name into a response. The page asks for its files below a name of all that they hold, under which
a browser keeps them for good: opened again, it asks for none of them. By its plain name a file has an entity
tag. Time rule: none. Null rule: an unknown name is a 404 problem.
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


@cache
def _version() -> str:
    """A name of all files together: modules that load each other are of one version."""
    told = "".join(f"{name} {tag}" for name, (_, _, tag) in _files().items())
    return sha256(told.encode()).hexdigest()[:20]


@cache
def _shell() -> bytes:
    """The page, with the files of this version; scripts are asked for at once, not one after another."""
    folder = f"/assets/{_version()}/"
    scripts = (name for name in _files() if name.endswith(".js"))
    ahead = "".join(f'<link rel="modulepreload" href="{folder}{name}">\n    ' for name in scripts)
    text = _files()["index.html"][0].decode().replace("/assets/", folder)
    return text.replace("<script ", f"{ahead}<script ", 1).encode()


def page() -> Response:
    """The application shell."""
    return Response(_shell(), media_type=_TYPES[".html"])


def asset(request: Request) -> Response:
    """A style sheet, script or image of the page; 304 when the browser has it.

    One of another version, as a page that was opened before an upgrade asks for, is the one that there is.
    """
    name = request.path_params["name"]
    if name not in _files() or name == "index.html":
        raise RouteNotFoundError(f"no such file: {name}")
    content, media_type, tag = _files()[name]
    kept = request.path_params.get("version") == _version()
    headers = {"ETag": tag, "Cache-Control": "max-age=31536000, immutable" if kept else "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)
