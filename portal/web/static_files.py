"""Static files: compressed ahead of time, and kept by browsers for as long as their hash holds."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from flask import Flask, Response, current_app, request, send_from_directory

YEAR_S = 31_536_000
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))


def install(app: Flask) -> None:
    app.view_functions["static"] = serve


def serve(filename: str) -> Response:
    """The file, in the best encoding there is of it; `?v=` marks a hashed URL."""
    folder = current_app.static_folder or ""
    encoding, suffix = _encoding(Path(folder), filename)
    response = send_from_directory(
        folder, filename + suffix, mimetype=mimetypes.guess_type(filename)[0]
    )
    response.vary.add("Accept-Encoding")
    if encoding:
        response.headers["Content-Encoding"] = encoding
    if request.args.get("v"):
        response.headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable"
    return response


def _encoding(folder: Path, filename: str) -> tuple[str, str]:
    if ".." not in filename:
        for encoding, suffix in ENCODINGS:
            accepted = request.accept_encodings[encoding] > 0
            if accepted and (folder / (filename + suffix)).is_file():
                return encoding, suffix
    return "", ""
