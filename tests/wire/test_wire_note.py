"""Signed notes, checkpoints and cosignatures: against an example that others publish, and against every changed letter."""

import pytest
from nacl.signing import SigningKey

from wire.codec import Malformed
from wire.note import (
    COSIGNATURE,
    Checkpoint,
    check_cosignature,
    check_note,
    cosign,
    read_checkpoint,
    read_note,
    read_verifier_key,
    sign_note,
    verifier_key,
)
from wire.signing import BadSignature

KEY = SigningKey(b"\x02" * 32)
PUBLIC = bytes(KEY.verify_key)
HEAD = Checkpoint("nightwindow/county", 7, bytes(range(32)))
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
"""The example in the documentation of Go's package sumdb/note, which defined the format."""


def test_the_example_that_go_publishes_checks() -> None:
    name, _, key = read_verifier_key(GO_KEY)
    check_note(read_note(GO_NOTE), name, key)
    with pytest.raises(BadSignature):
        check_note(read_note(GO_NOTE.replace("answer", "solution")), name, key)


def test_a_head_comes_back_as_it_was_signed() -> None:
    note = read_note(sign_note(HEAD.text, HEAD.origin, KEY))
    check_note(note, HEAD.origin, PUBLIC)
    assert read_checkpoint(note.text) == HEAD


def test_another_key_name_or_text_is_refused() -> None:
    signed = sign_note(HEAD.text, HEAD.origin, KEY)
    with pytest.raises(BadSignature):
        check_note(read_note(signed), HEAD.origin, bytes(SigningKey(b"\x03" * 32).verify_key))
    with pytest.raises(BadSignature):
        check_note(read_note(signed), "nightwindow/other", PUBLIC)
    with pytest.raises(BadSignature):
        check_note(read_note(signed.replace("\n7\n", "\n8\n")), HEAD.origin, PUBLIC)


def test_a_cosignature_tells_when_and_fits_no_other_head_or_key() -> None:
    line = cosign(HEAD.text, "nwwitness", KEY, seconds=1_795_320_000)
    assert check_cosignature(line, HEAD.text, "nwwitness", PUBLIC) == 1_795_320_000
    with pytest.raises(BadSignature):
        check_cosignature(line, Checkpoint(HEAD.origin, 8, HEAD.root).text, "nwwitness", PUBLIC)
    with pytest.raises(BadSignature):
        check_cosignature(line, HEAD.text, "nwother", PUBLIC)
    with pytest.raises(BadSignature):
        check_note(read_note(f"{HEAD.text}\n{line}"), "nwwitness", PUBLIC)


def test_a_verifier_key_survives_writing_and_a_mistake_in_it_is_noticed() -> None:
    text = verifier_key("nwwitness", PUBLIC, kind=COSIGNATURE)
    assert read_verifier_key(text) == ("nwwitness", COSIGNATURE, PUBLIC)
    for wrong in (text.replace("nwwitness", "nwwitnes5"), text[:-6] + "AAAAA=", "a b+00000000+AA==", ""):
        with pytest.raises(Malformed):
            read_verifier_key(wrong)


@pytest.mark.parametrize(
    "text",
    ["", "text", "text\n\n", "text\n\nno dash\n", "text\n\n— name ###\n", "text\n\n— name AAAA\n", "t\n\n— a b AAAAAAAAAA==\n"],
)
def test_what_is_no_note_is_told(text: str) -> None:
    with pytest.raises(Malformed):
        read_note(text)


@pytest.mark.parametrize("text", ["", "o\n1\n", "o\n01\nAAAA\n", "o\n-1\nAAAA\n", "o\n²\nAAAA\n", "o\n1\nAAAA\n", "\n1\nAAAA\n"])
def test_what_is_no_checkpoint_is_told(text: str) -> None:
    with pytest.raises(Malformed):
        read_checkpoint(text)
