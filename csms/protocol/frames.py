"""OCPP-J frames: how each message type is read, written, and what is wrong with one that is neither.

No pairing, no OCPP version. Payloads stay raw here; `schema` decodes them by action. The JSON reader by
itself refuses NaN and Infinity, lone surrogates, raw control characters, a byte order mark, trailing junk
and nesting near the interpreter's recursion limit. Of duplicate keys the last one wins.
"""

import re
from enum import Enum
from typing import Annotated, Any, Final

import msgspec

UNREADABLE_ID: Final = "-1"
"""Stands for an id that could not be read (2.x part 4, 4.2.3)."""

MessageId = Annotated[str, msgspec.Meta(min_length=1, max_length=36)]

_NO_TEXT = msgspec.Raw(b'""')
_NO_DETAILS = msgspec.Raw(b"{}")
_MOST_DETAILS = 4096


class Call(msgspec.Struct, array_like=True, tag=2, forbid_unknown_fields=True, frozen=True, gc=False):
    """A request of the station. Answer it: `Rpc.answer`, `Rpc.refuse` or `Rpc.forget`."""

    message_id: MessageId
    action: str
    payload: msgspec.Raw


class Send(msgspec.Struct, array_like=True, tag=6, forbid_unknown_fields=True, frozen=True, gc=False):
    """An unconfirmed message (2.1). Never answered, not even with an error."""

    message_id: MessageId
    action: str
    payload: msgspec.Raw


class CallResult(msgspec.Struct, array_like=True, tag=3, forbid_unknown_fields=True, gc=False):
    """A reply as it came."""

    message_id: MessageId
    payload: msgspec.Raw


class CallError(msgspec.Struct, array_like=True, tag=4, gc=False):
    """A refusal as it came. Stations shorten these and put null where text belongs: only the id matters."""

    message_id: MessageId
    code: msgspec.Raw = _NO_TEXT
    description: msgspec.Raw = _NO_TEXT
    details: msgspec.Raw = _NO_DETAILS

    def texts(self, most: int) -> tuple[str, str, bytes]:
        """Code, description and details; texts cut to `most` characters, overlong details left out."""
        details = bytes(self.details)
        if len(details) > _MOST_DETAILS:
            details = b"{}"
        return _plain(self.code)[:most], _plain(self.description)[:most], details


class CallResultError(CallError, array_like=True, tag=5, gc=False):
    """2.1: the station could not use our reply."""


Frame = Call | CallResult | CallError | CallResultError | Send

read = msgspec.json.Decoder(Frame).decode
"""Bytes to a Frame. Raises what is in `UNREADABLE`."""

UNREADABLE = (msgspec.MsgspecError, RecursionError, UnicodeError)
"""What `read` and any JSON decoder of msgspec raise."""


class Fault(Enum):
    """What is wrong with a frame that `read` refused."""

    UNREADABLE = "the frame cannot be read"
    SHAPE = "the frame has not the shape of a CALL"
    PAYLOAD = "the payload is not JSON that can be used"
    TYPE = "unknown message type"
    REPLY = "the reply cannot be used"


_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])
_ID = msgspec.json.Decoder(MessageId)
# The head of a CALL whose payload is not JSON: enough to tell its sender which call it was.
_HEAD = re.compile(rb'\s*\[\s*([2-6])\s*,\s*("(?:[^"\\\x00-\x1f]|\\.){1,216}")\s*,')
_KNOWN = {b"2": Fault.SHAPE, b"3": Fault.REPLY, b"4": Fault.REPLY, b"5": Fault.REPLY, b"6": Fault.REPLY}


def diagnose(frame: bytes) -> tuple[Fault, str]:
    """The fault and the message id (or UNREADABLE_ID) of a frame that `read` refused."""
    try:
        parts = _ELEMENTS.decode(frame)
    except UNREADABLE:
        return _diagnose_text(frame)
    if not parts:
        return Fault.UNREADABLE, UNREADABLE_ID
    fault = _KNOWN.get(bytes(parts[0]), Fault.TYPE)
    message_id = _id(bytes(parts[1])) if len(parts) > 1 else UNREADABLE_ID
    if fault is Fault.SHAPE and (len(parts) < 4 or message_id == UNREADABLE_ID):
        return Fault.UNREADABLE, UNREADABLE_ID
    return fault, message_id


def _diagnose_text(frame: bytes) -> tuple[Fault, str]:
    """Of something that is not JSON: a whole CALL with an unusable payload still gets its error."""
    head = _HEAD.match(frame)
    if head is None or not frame.rstrip().endswith(b"]"):
        return Fault.UNREADABLE, UNREADABLE_ID
    message_id = _id(head[2])
    if head[1] != b"2":
        return Fault.REPLY, message_id
    if message_id == UNREADABLE_ID:
        return Fault.UNREADABLE, message_id
    return Fault.PAYLOAD, message_id


def _id(raw: bytes) -> str:
    try:
        message_id = _ID.decode(raw)
    except UNREADABLE:
        return UNREADABLE_ID
    return UNREADABLE_ID if "\0" in message_id else message_id


def call(message_id: str, action: str, payload: bytes) -> bytes:
    """CALL."""
    return b"[2,%b,%b,%b]" % (_text(message_id), _text(action), payload)


def call_result(message_id: str, payload: bytes) -> bytes:
    """CALLRESULT."""
    return b"[3,%b,%b]" % (_encode(message_id), payload)


def call_error(message_id: str, code: str, description: str, details: dict[str, Any] | None) -> bytes:
    """CALLERROR. Never raises: what cannot be written is left out (a second error must not kill us)."""
    return b"[4,%b,%b,%b,%b]" % (_text(message_id), _text(code), _text(description), _details(details))


def call_result_error(message_id: str, code: str, description: str) -> bytes:
    """2.1 CALLRESULTERROR."""
    return b"[5,%b,%b,%b,{}]" % (_text(message_id), _text(code), _text(description))


_encode = msgspec.json.encode


def _text(text: str) -> bytes:
    """A JSON string; lone surrogates, which cannot be sent, become question marks."""
    return _encode(text.encode("utf-8", "replace").decode())


def _details(details: dict[str, Any] | None) -> bytes:
    if not details:
        return b"{}"
    try:
        return _encode(details)
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError):
        return b"{}"


def _plain(raw: msgspec.Raw) -> str:
    """A JSON string's text; anything else as it is written."""
    try:
        text = msgspec.json.decode(raw, type=str)
    except UNREADABLE:
        text = bytes(raw).decode("utf-8", "replace")
    return text.replace("\0", "")
