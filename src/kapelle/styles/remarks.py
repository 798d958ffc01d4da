"""What a style of windows has to say about a clip before anything is made of it."""

from __future__ import annotations

import numpy as np

from ..codecs.bars import BarsCodec
from ..music import Score


def remarks(codec: BarsCodec, score: Score) -> list[str]:
    """How a window is heard, where that is not as anybody would expect: a line for each.

    Who plays which part, where there are more tracks than parts; notes that lie outside the range of the style, which
    are not heard; and why the style would not have learnt from the window.

    Raises:
        CodecError: if nobody plays a part.
    """
    own, found = codec.vocabulary, []
    players = codec.players(score)
    sounding = [track for track in score.tracks if len(track.notes) and not track.is_drum]
    tracks = codec.places(score)
    places = {part: tracks[own.titles[part]] for part in own.lines if own.titles[part] in tracks}
    if len(sounding) > len(places):
        heard = (
            f"track {at + 1} {score.tracks[at].name}".rstrip() + f" ({own.parts[part]})" for part, at in places.items()
        )
        found.append(f"of {len(sounding)} tracks the style hears {', '.join(heard)}")
    pitch = np.concatenate([np.empty(0, int), *(players[part].notes.pitch for part in own.lines)])
    if outside := int(((pitch < own.low) | (pitch > own.high)).sum()):
        found.append(f"{outside} of {len(pitch)} notes are not heard: the style knows {own.reach}")
    if len(score.bars()) - 1 - (score.pickup > 0) >= own.bars:
        starts = codec.windows(score)[1]
        found += [f"{reason}: none of the windows learnt from is like that" for reason in starts if _matters(reason)]
    return found


def _matters(reason: str) -> bool:
    return not reason.startswith(("fewer bars", "a pickup"))


__all__ = ["remarks"]
