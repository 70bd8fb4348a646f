"""A spoken turn and a tool round trip with the `openai-agents` library for Python, as published.

Usage: openai_agents.py URL KEY AGENT QUESTION.wav TOOL_QUESTION.wav [--events FILE]
URL is that of the API, such as http://127.0.0.1:8080/v1. The recordings are 24 kHz, 16 bit, mono. Prints one JSON
document about what was seen. The library checks each event against its types and runs the tool; an event that it does
not know, or anything else that it takes for an error, ends this with a message.
"""

import argparse
import asyncio
import json

from agents import function_tool
from agents.realtime import RealtimeAgent, RealtimeRunner

from speech import Kept, heard, in_real_time

PATIENCE_SECONDS = 30


@function_tool
def office_weather() -> str:
    """The weather at the office."""
    return '{"sky":"sunny"}'


class Talk:
    def __init__(self, session, kept):
        self.session = session
        self.events = aiter(session)
        self.kept = kept
        self.kinds = set()
        self.history = []
        self.ran = []
        self.is_answered = False

    def server_said(self, event):
        self.kept.keep(event)
        self.kinds.add(event["type"])
        if event["type"] == "error":
            raise SystemExit(f"an error event: {event['error']}")

    async def turn(self):
        """Everything up to the end of a response."""
        transcript, audio, done = "", b"", None
        while True:
            event = await asyncio.wait_for(anext(self.events), PATIENCE_SECONDS)
            if event.type == "error":
                raise SystemExit(f"the library found an error: {event.error}")
            elif event.type == "raw_model_event" and event.data.type == "raw_server_event":
                self.server_said(event.data.data)
                if event.data.data["type"] == "response.done":
                    done = event.data.data["response"]
            elif event.type == "raw_model_event" and event.data.type == "transcript_delta":
                transcript += event.data.delta
            elif event.type == "audio":
                self.is_answered = True
                audio += event.audio.data
            elif event.type == "history_updated":
                self.history = event.history
            elif event.type == "history_added":
                self.history = [*self.history, event.item]
            elif event.type == "tool_end":
                self.ran.append({"tool": event.tool.name, "output": event.output})
            elif event.type == "agent_end":
                return {"status": done["status"], "agent": transcript, **heard(audio)}

    async def say(self, path):
        self.is_answered = False
        async for piece in in_real_time(path, lambda: self.is_answered):
            await self.session.send_audio(piece)

    async def ask(self, path):
        """Says a recording; the turn that answers it."""
        saying = asyncio.create_task(self.say(path))
        turn = await self.turn()
        saying.cancel()
        return turn


def told(item):
    """An item of the library's history."""
    if item.type == "function_call":
        return {"tool": item.name, "output": item.output}
    return {item.role: "".join(getattr(part, "transcript", None) or "" for part in item.content)}


async def main(url, key, agent, question, tool_question, events):
    own = RealtimeAgent(name="office", instructions="The office is in Austin.", tools=[office_weather])
    address = f"{url.replace('http', 'ws', 1)}/realtime?model={agent}"
    session = await RealtimeRunner(own).run(model_config={"url": address, "api_key": key})
    async with session:
        talk = Talk(session, Kept(events))
        greeting = await talk.turn()
        # The greeting is heard before anybody answers it.
        await asyncio.sleep(greeting["audio_ms"] / 1000)
        answer = await talk.ask(question)
        await asyncio.sleep(answer["audio_ms"] / 1000)
        wants = await talk.ask(tool_question)
        told_turn = await talk.turn()
        print(
            json.dumps(
                {
                    "greeting": greeting,
                    "answer": answer,
                    "wants": wants,
                    "told": told_turn,
                    "ran": talk.ran,
                    "history": [told(item) for item in talk.history],
                    "kinds": sorted(talk.kinds),
                }
            )
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("url", "key", "agent", "question", "tool_question"):
        parser.add_argument(name)
    parser.add_argument("--events")
    asyncio.run(main(**vars(parser.parse_args())))
