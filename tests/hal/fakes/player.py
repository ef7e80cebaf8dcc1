"""A stand-in for `aplay`: takes as long as the sound lasts, and writes a line with the time for every piece that is heard."""

import sys
import time
from pathlib import Path

PIECE_S = 0.005


def main(record, card):
    if not Path(card).exists():
        print("ALSA lib pcm.c:2666:(snd_pcm_open_noupdate) Unknown PCM default", file=sys.stderr)
        print("aplay: main:831: audio open error: No such file or directory", file=sys.stderr)
        return 1
    sound = sys.stdin.buffer
    assert sound.read(4) == b"RIFF"
    with Path(record).open("a") as heard:
        while piece := sound.read(round(22050 * 2 * PIECE_S)):
            if any(piece):
                heard.write(f"{time.monotonic()}\n")
                heard.flush()
            time.sleep(PIECE_S)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
