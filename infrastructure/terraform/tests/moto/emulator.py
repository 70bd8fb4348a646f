"""moto as a server on loopback, with the answers of answers.py before it.

    python emulator.py PORT

A request for an operation that answers.py knows is read and answered by the AWS model of that service (botocore's), as moto does
for its own; every other one goes to moto. GET /seiketsu/answers says how often each was used and what is still kept.
"""

from __future__ import annotations

import io
import json
import re
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs, unquote

from moto.core.exceptions import ServiceException
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.exceptions import HTTPException
from werkzeug.serving import run_simple

import answers

# Names in signatures that are not those of the service's model.
MODELS = {
    "access-analyzer": "accessanalyzer",
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
}


def request_of(environ: dict[str, Any], body: bytes) -> Request:
    return Request({**environ, "wsgi.input": io.BytesIO(body)}, populate_request=False)


class Route:
    """How the operations of one service are told from a request."""

    def __init__(self, service: str, operations: Iterable[str]) -> None:
        self.service = service
        self.model = get_service_model(service)
        self.operations = {name: self.model.operation_model(name) for name in operations}
        self.rest = str(self.model.protocol).startswith("rest")
        self.paths = [
            (str(operation.http["method"]), self.path(operation), operation) for operation in self.operations.values()
        ]

    @staticmethod
    def path(operation: Any) -> re.Pattern[str]:
        uri = str(operation.http["requestUri"]).split("?")[0].rstrip("/")
        parts = re.split(r"\{([^}]+)\}", uri)
        pattern = "".join(
            (f"(?P<{part.rstrip('+').replace('-', '_')}>{'.+' if part.endswith('+') else '[^/]+'})" if index % 2 else re.escape(part))
            for index, part in enumerate(parts)
        )
        return re.compile(f"^{pattern}/?$")

    def find(self, request: Request) -> tuple[Any, dict[str, str]] | None:
        if self.rest:
            raw = request.raw_path
            for method, path, operation in self.paths:
                found = path.match(raw) if method == request.method else None
                # Some operations differ by what is behind the question mark only.
                wanted = parse_qs(str(operation.http["requestUri"]).partition("?")[2], keep_blank_values=True)
                if found and all(request.args.get(key) == value[0] for key, value in wanted.items()):
                    return operation, {key: unquote(value) for key, value in found.groupdict().items()}
            return None
        name = request.headers.get("X-Amz-Target", "").rpartition(".")[2] or request.values.get("Action", "")
        operation = self.operations.get(name)
        return (operation, {}) if operation else None


class Emulator:
    def __init__(self) -> None:
        self.moto = DomainDispatcherApplication(create_backend_app)
        services: dict[str, list[str]] = {}
        for service, operation in answers.ANSWERS:
            services.setdefault(service, []).append(operation)
        self.routes = {service: Route(service, operations) for service, operations in services.items()}
        self.used: dict[str, int] = {}

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") == "/seiketsu/answers":
            return self.report(start)
        scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/", environ.get("HTTP_AUTHORIZATION", ""))
        signer = scope.group(2).lower() if scope else ""
        route = self.routes.get(MODELS.get(signer, signer))
        if scope and route:
            # Read here, and given anew to whoever answers: a body can be read once.
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(body)
            found = route.find(request_of(environ, body))
            if found:
                return self.answer(route, found, scope.group(1), environ, body, start)
        return self.moto.get_application(environ)(environ, start)

    def answer(
        self, route: Route, found: tuple[Any, dict[str, str]], region: str, environ: dict[str, Any], body: bytes,
        start: Callable[..., Any],
    ) -> Iterable[bytes]:
        operation, in_path = found
        request = request_of(environ, body)
        protocol = determine_request_protocol(route.model, request.content_type)
        parameters = PROTOCOL_PARSERS[protocol](operation).parse(
            {
                "method": request.method,
                "values": request.values,
                "headers": request.headers,
                "body": body,
                "url_path": request.path,
                "url_params": in_path,
            }
        )
        name = f"{route.service}:{operation.name}"
        self.used[name] = self.used.get(name, 0) + 1
        result: Any
        try:
            result = answers.ANSWERS[(route.service, operation.name)](answers.Call(region, parameters or {})) or {}
        except ServiceException as error:
            result = error
        except HTTPException as error:  # moto's older kind of refusal, from state that a stand-in looks into
            result = answers.Refusal(getattr(error, "error_type", "InternalFailure"), getattr(error, "message", str(error)))
        except Exception as error:  # what a stand-in stumbles over has to be seen by the client, not only in the log
            traceback.print_exc()
            result = answers.Refusal("InternalFailure", f"answers.py, {name}: {error!r}")
        response = get_serializer_class(route.service, protocol)(operation).serialize(result)
        content = response["body"].encode() if isinstance(response["body"], str) else response["body"]
        headers = {**response["headers"], "Content-Length": str(len(content)), "x-amzn-RequestId": "stand-in"}
        start(f"{response['status_code']} -", [(key, str(value)) for key, value in headers.items()])
        return [content]

    def report(self, start: Callable[..., Any]) -> Iterable[bytes]:
        kept = [list(key) for key in answers.KEPT]
        unused = sorted(f"{service}:{name}" for service, name in answers.ANSWERS if f"{service}:{name}" not in self.used)
        content = json.dumps({"used": self.used, "unused": unused, "kept": kept}).encode()
        start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
        return [content]


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    answers.repair_moto()
    run_simple("127.0.0.1", int(sys.argv[1]), Emulator(), threaded=True, request_handler=MotoRequestHandler)


if __name__ == "__main__":
    main()
