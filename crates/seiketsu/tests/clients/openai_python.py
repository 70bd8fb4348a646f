"""A spoken turn, a tool round trip, a typed turn and responses with settings of their own, with the `openai` library for Python, as published.

Usage: openai_python.py BASE_URL KEY AGENT QUESTION.wav TOOL_QUESTION.wav [--events FILE]
The recordings are 24 kHz, 16 bit, mono. Prints one JSON document about what was seen; every event it names was checked
against the library's own types while it was parsed.
"""

import argparse
import asyncio
import base64
import json
import time

from openai import AsyncOpenAI

from events_python import SERVER_EVENT
from speech import Kept, heard, in_real_time

PATIENCE_SECONDS = 30


class Talk:
    def __init__(self, connection, kept):
        self.connection = connection
        self.kept = kept
        self.kinds = []
        self.words = ""
        self.speech_ended_at = None
        self.first_audio_after_ms = None

    async def next(self):
        data = await asyncio.wait_for(self.connection.recv_bytes(), PATIENCE_SECONDS)
        sent = json.loads(data)
        self.kept.keep(sent)
        # `parse_event` constructs events without looking; this looks.
        SERVER_EVENT.validate_python(sent)
        event = self.connection.parse_event(data)
        self.kinds.append(event.type)
        if event.type == "error":
            raise SystemExit(f"an error event: {event.error}")
        return event

    async def until(self, kind):
        while True:
            event = await self.next()
            if event.type == kind:
                return event

    async def response(self):
        """Everything up to the end of a response."""
        transcript, audio, calls, caller, self.words = "", b"", [], None, ""
        while True:
            event = await self.next()
            if event.type == "response.output_audio_transcript.delta":
                transcript += event.delta
            elif event.type == "response.output_text.delta":
                transcript += event.delta
            elif event.type == "response.output_audio.delta":
                if self.first_audio_after_ms is None and self.speech_ended_at is not None:
                    self.first_audio_after_ms = round((time.monotonic() - self.speech_ended_at) * 1000)
                audio += base64.b64decode(event.delta)
            elif event.type == "conversation.item.input_audio_transcription.delta":
                self.words += event.delta
            elif event.type == "conversation.item.input_audio_transcription.completed":
                caller = event.transcript
                if self.words != caller:
                    raise SystemExit(f"the words {self.words!r} do not add up to {caller!r}")
            elif event.type == "response.output_item.done" and event.item.type == "function_call":
                calls.append(event.item)
            elif event.type == "response.done":
                usage = event.response.usage
                return {
                    "status": event.response.status,
                    "caller": caller,
                    "agent": transcript,
                    **heard(audio),
                    "calls": calls,
                    "tokens": usage.total_tokens if usage else None,
                    "metadata": event.response.metadata,
                    "in_conversation": event.response.conversation_id is not None,
                }

    async def say(self, path):
        self.speech_ended_at = self.first_audio_after_ms = None
        async for piece in in_real_time(path, self.is_answered):
            await self.append(piece)

    def is_answered(self):
        """Asked from the end of the speech on."""
        self.speech_ended_at = self.speech_ended_at or time.monotonic()
        return self.first_audio_after_ms is not None

    async def append(self, audio):
        await self.connection.input_audio_buffer.append(audio=base64.b64encode(audio).decode())


async def spoken(client, agent, question, tool_question, kept):
    tool = {
        "type": "function",
        "name": "office_weather",
        "description": "The weather at the office.",
        "parameters": {"type": "object", "properties": {}},
    }
    async with client.realtime.connect(model=agent) as connection:
        talk = Talk(connection, kept)
        created = await talk.until("session.created")
        session = {
            "type": "realtime",
            "instructions": "The office is in Austin.",
            "audio": {"input": {"transcription": {"model": "any"}}},
            "tools": [tool],
        }
        await connection.session.update(session=session)
        await talk.until("session.updated")
        greeting = await talk.response()
        # The greeting is heard before anybody answers it.
        await asyncio.sleep(greeting["audio_ms"] / 1000)
        saying = asyncio.create_task(talk.say(question))
        answer = await talk.response()
        first_audio_after_ms = talk.first_audio_after_ms
        await saying
        await asyncio.sleep(answer["audio_ms"] / 1000)

        saying = asyncio.create_task(talk.say(tool_question))
        wants = await talk.response()
        saying.cancel()
        if len(wants["calls"]) != 1:
            raise SystemExit(f"one call was expected: {wants}, after {answer}")
        [call] = wants["calls"]
        output = {"type": "function_call_output", "call_id": call.call_id, "output": '{"sky":"sunny"}'}
        await connection.conversation.item.create(item=output)
        await connection.response.create()
        told = await talk.response()
    for turn in (greeting, answer, wants, told):
        turn["calls"] = [call.name for call in turn["calls"]]
    return {
        "session": created.session.type,
        "greeting": greeting,
        "answer": answer,
        "first_audio_after_ms": first_audio_after_ms,
        "wants": wants,
        "told": told,
        "kinds": sorted(set(talk.kinds)),
    }


async def typed(client, agent, kept):
    async with client.realtime.connect(model=agent) as connection:
        talk = Talk(connection, kept)
        await talk.until("session.created")
        session = {
            "type": "realtime",
            "output_modalities": ["text"],
            "audio": {"input": {"turn_detection": None}},
        }
        await connection.session.update(session=session)
        await talk.until("session.updated")
        content = [{"type": "input_text", "text": "are you a robot"}]
        await connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
        await connection.response.create()
        answer = await talk.response()

        # Beside the conversation: a question of the client's own about it.
        note = {"type": "function", "name": "note", "parameters": {"type": "object", "properties": {}}}
        aside = {
            "conversation": "none",
            "output_modalities": ["text"],
            "instructions": "Note what the caller wants.",
            "tools": [note],
            "tool_choice": {"type": "function", "name": "note"},
            "metadata": {"topic": "wishes"},
        }
        await connection.response.create(response=aside)
        beside = await talk.response()

        # In it, and cut off.
        await connection.response.create(response={"max_output_tokens": 2})
        short = await talk.response()
        for turn in (answer, beside, short):
            turn["calls"] = [call.name for call in turn["calls"]]
        return {"answer": answer, "beside": beside, "short": short}


async def main(base_url, key, agent, question, tool_question, events):
    client = AsyncOpenAI(base_url=base_url, api_key=key)
    kept = Kept(events)
    document = {
        "spoken": await spoken(client, agent, question, tool_question, kept),
        "typed": await typed(client, agent, kept),
    }
    print(json.dumps(document))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("base_url", "key", "agent", "question", "tool_question"):
        parser.add_argument(name)
    parser.add_argument("--events")
    asyncio.run(main(**vars(parser.parse_args())))
