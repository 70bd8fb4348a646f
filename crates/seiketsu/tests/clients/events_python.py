"""Events of a server against the types of the `openai` library for Python, as published.

Usage: events_python.py FILE
FILE has one event on a line, as `--events` of the other scripts writes it. Prints one JSON document about what was
checked. An event of an unknown type, with a wrong value, or with a field that the types do not have ends this with a
message.
"""

import json
import sys
from typing import Annotated

from openai.types.realtime import RealtimeServerEvent
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

SERVER_EVENT = TypeAdapter(Annotated[RealtimeServerEvent, Field(discriminator="type")])
# A server's session has these, OpenAI's as well; the types know it as a request only.
OF_SESSIONS = {".session.id", ".session.object", ".session.expires_at"}


def unknown(value, at):
    """Fields that were accepted without being known: the library's types allow any."""
    if isinstance(value, BaseModel):
        yield from (f"{at}.{name}" for name in value.model_extra or {})
        for name in value.model_fields_set - set(value.model_extra or {}):
            yield from unknown(getattr(value, name), f"{at}.{name}")
    elif isinstance(value, list):
        for n, part in enumerate(value):
            yield from unknown(part, f"{at}.{n}")


def check(path):
    events = [json.loads(line) for line in open(path)]
    problems = []
    for n, event in enumerate(events, 1):
        at = f"line {n}: {event.get('type')}"
        try:
            found = set(unknown(SERVER_EVENT.validate_python(event), "")) - OF_SESSIONS
            problems += [f"{at}: {field} is no field" for field in sorted(found)]
        except ValidationError as error:
            problems += [f"{at}: {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
    if problems or not events:
        raise SystemExit("\n".join(problems or [f"{path} has no events"]))
    return {"events": len(events), "kinds": sorted({event["type"] for event in events})}


if __name__ == "__main__":
    print(json.dumps(check(sys.argv[1])))
