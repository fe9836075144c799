"""What a running program wrote: as text, as lines, and searched from match to match."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .output_stream import OutputStream, tail


class ProcessOutput:
    """The output streams of one program, and how far each was searched."""

    def __init__(self, streams: Sequence[OutputStream]) -> None:
        self._streams = {stream.name: stream for stream in streams}
        self._searched = dict.fromkeys(self._streams, 0)

    def text(self, name: str) -> str:
        """Return everything on one stream so far; nothing for a stream that was merged away."""
        return self._streams[name].text if name in self._streams else ""

    def names(self, stream: str | None) -> list[str]:
        """Return the streams meant: one, or all for ``None`` (``ValueError`` if unknown)."""
        if stream is None:
            return list(self._streams)
        if stream not in self._streams:
            known = " or ".join(map(repr, self._streams))
            raise ValueError(f"stream must be {known} for this program, got {stream!r}")
        return [stream]

    def next_match(self, pattern: re.Pattern[str], names: Sequence[str]) -> re.Match[str] | None:
        """Search each stream behind its last match, and move on behind the first one found."""
        for name in names:
            if match := pattern.search(self.text(name), self._searched[name]):
                self._searched[name] = match.end()
                return match
        return None

    def matched_before(self, pattern: re.Pattern[str], names: Sequence[str]) -> bool:
        """Say whether a pattern occurs in what is not searched any more."""
        return any(pattern.search(self.text(name), 0, self._searched[name]) for name in names)

    def line_at(self, name: str, position: int, *, complete: bool) -> str | None:
        """Return the line that begins at a position, with its end; ``None`` when none is there.

        Args:
            name: the stream.
            position: where the line begins.
            complete: only a line with an end counts.
        """
        text = self.text(name)
        end = text.find("\n", position)
        if end >= 0:
            return text[position : end + 1]
        return None if complete else text[position:] or None

    def too_long(self) -> list[str]:
        """Name the streams that brought more than we hold."""
        return [stream.name for stream in self._streams.values() if stream.too_long]

    def excerpt(self, lines: int, characters: int) -> str:
        """Return the end of each stream."""
        return "\n".join(tail(each, lines, characters) for each in self._streams.values())

    def close(self) -> None:
        """Take in what is left and let go of the files; the text remains."""
        for stream in self._streams.values():
            stream.close()
