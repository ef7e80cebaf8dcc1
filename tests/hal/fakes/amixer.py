"""A stand-in for ALSA's `amixer` on machines without a sound card: its state is a JSON file, its words are the real program's."""

import json
import re
import sys
from pathlib import Path


def main(state_file, *words):
    path = Path(state_file)
    state = json.loads(path.read_text())
    assert words[0] == "-D", words
    device, verb, *rest = words[1:]
    if device not in state["cards"]:
        print(f"ALSA lib control.c:1528:(snd_ctl_open_noupdate) Invalid CTL {device}", file=sys.stderr)
        print(f"amixer: Mixer attach {device} error: No such file or directory", file=sys.stderr)
        return 1
    controls = state["cards"][device]
    if verb == "cget":
        name = re.fullmatch(r"iface=CARD,name='(.+)'", rest[0]).group(1)
        if name not in controls:
            print(f"amixer: Cannot find the given element from control {device}", file=sys.stderr)
            return 1
        print(f"numid=3,iface=CARD,name='{name}'\n  ; type=BOOLEAN,access=r-------,values=1\n  : values={controls[name]}")
        return 0
    control = rest[0]
    if control not in controls:
        print(f"amixer: Unable to find simple control '{control}',0\n", file=sys.stderr)
        return 1
    if verb == "sset":
        assert rest[1] == "--", rest
        controls[control] = rest[2]
        state["sets"] = [*state.get("sets", []), rest[2:]]
        new = path.with_suffix(".new")
        new.write_text(json.dumps(state))
        new.replace(path)
    print(f"Simple mixer control '{control}',0\n  Mono: Playback 46 [72%] [{controls[control]}] [on]")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
