"""A hub of data sets on this machine: as much of the protocol of huggingface.co as `datasets` needs to load one."""

import hashlib
import json
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlparse

SHA = "0" * 39 + "1"


@contextmanager
def hub(repositories: Mapping[str, Mapping[str, bytes]], *, gated: str = "") -> Generator[tuple[str, list[str]]]:
    """Serve files by repository and path. Gives the address, and every request so far."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.answer()

        def log_message(self, *_: object) -> None:
            pass

        def send(self, code: int, content: bytes, body: bool, **headers: str) -> None:
            self.send_response(code)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            if body:
                self.wfile.write(content)

        def answer(self, body: bool = True) -> None:
            path = unquote(urlparse(self.path).path).strip("/")
            seen.append(f"{self.command} {path}")
            for name, files in repositories.items():
                if f"datasets/{name}" not in path:
                    continue
                rest = path.split(f"datasets/{name}", 1)[1].strip("/")
                if name == gated:
                    return self.send(403, b"{}", body, X_Error_Code="GatedRepo", X_Error_Message="Access is restricted")
                if path.startswith("api/"):
                    return self.told(rest, files, body)
                file = rest.split("/", 2)[2]
                if rest.startswith("resolve/") and file in files:
                    etag = hashlib.sha256(files[file]).hexdigest()
                    return self.send(200, files[file], body, X_Repo_Commit=SHA, ETag=f'"{etag}"', Accept_Ranges="none")
                return self.send(404, b"", body, X_Error_Code="EntryNotFound", X_Repo_Commit=SHA)
            return self.send(404, b"{}", body, X_Error_Code="RepoNotFound")

        def told(self, rest: str, files: Mapping[str, bytes], body: bool) -> None:
            listed = [
                {"type": "file", "path": name, "size": len(text), "oid": hashlib.sha1(text).hexdigest()}
                for name, text in files.items()
            ]
            found: object = (
                listed
                if rest.startswith(("tree/", "paths-info/"))
                else {
                    "id": "x",
                    "sha": SHA,
                    "siblings": [{"rfilename": name} for name in files],
                    "tags": [],
                }
            )
            self.send(200, json.dumps(found).encode(), body, Content_Type="application/json")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()
