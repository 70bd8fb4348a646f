"""What the clients in Python share.

Recordings that are said in real time, and events that are kept for `events_*`, which check them.
"""

import asyncio
import json
import time
import wave

PIECE_SECONDS = 0.1
PIECE = int(24_000 * PIECE_SECONDS) * 2
# The silence behind a recording, in pieces, if nobody answers.
SILENCE = 40


async def in_real_time(path, is_answered):
    """A recording (24 kHz, 16 bit, mono) piece by piece, each in its time, then silence until somebody answers."""
    with wave.open(path) as wav:
        assert (wav.getframerate(), wav.getsampwidth(), wav.getnchannels()) == (24_000, 2, 1)
        audio = wav.readframes(wav.getnframes())
    begun = time.monotonic()
    pieces = [audio[at : at + PIECE] for at in range(0, len(audio), PIECE)]
    for n, piece in enumerate(pieces + [bytes(PIECE)] * SILENCE):
        await asyncio.sleep(max(0, begun + n * PIECE_SECONDS - time.monotonic()))
        if n >= len(pieces) and is_answered():
            return
        yield piece


def heard(audio):
    """How long sound is, and how loud."""
    return {
        "audio_ms": len(audio) // 48,
        "loudest": max((abs(sample) for sample in memoryview(audio).cast("h")), default=0),
    }


class Kept:
    """The events of a session, as the server sent them, one on a line; nowhere without a path."""

    def __init__(self, path):
        self.file = open(path, "w") if path else None

    def keep(self, event):
        if self.file:
            self.file.write(json.dumps(event, ensure_ascii=False) + "\n")
            self.file.flush()
