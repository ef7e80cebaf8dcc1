"""A stand-in for a synthesiser: keeps text and command line, and writes a WAV as long as the text."""

import sys
import wave
from pathlib import Path


def main(record, status, *arguments):
    text = sys.stdin.buffer.read().decode()
    with Path(record).open("a") as file:
        file.write(f"{' '.join(arguments)}\t{text}")
    if int(status):
        print("cannot speak: " + text, file=sys.stderr)
        return int(status)
    with wave.open(sys.stdout.buffer, "wb") as sound:
        sound.setparams((1, 2, 22050, len(text) * 1000, "NONE", ""))
        sound.writeframesraw(b"\1\0" * len(text) * 1000)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
