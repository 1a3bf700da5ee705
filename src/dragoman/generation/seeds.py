"""Seeds: a number for each prompt, so that what is drawn for it depends neither on its batch nor on their order."""

import hashlib
import struct

from dragoman.generation.ask import Ids


def row_key(seed: int, prompt: Ids) -> int:
    """64 bits derived from a prompt and a seed."""
    digest = hashlib.sha256(f"{seed}\x1f".encode() + struct.pack(f"<{len(prompt)}q", *prompt)).digest()
    return int.from_bytes(digest[:8], "little")
