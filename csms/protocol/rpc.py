"""Call pairing of OCPP-J, message types 2 to 6. No socket, no clock, no OCPP version.

One `Rpc` serves one connection. Replies are paired by id alone and never by their order, so an answer
that comes late cannot be taken for the answer to the next call.
"""

from typing import Any, NamedTuple

from csms.errors import CsmsError
from csms.protocol import frames
from csms.protocol.dialect import ErrorCodes
from csms.protocol.frames import Call, CallError, CallResult, Fault, Send
from csms.protocol.recent import RecentAnswers


class Reply(NamedTuple):
    """The answer to our outstanding call. `payload` is still to be validated."""

    message_id: str
    action: str
    payload: bytes


class ReplyError(NamedTuple):
    """The station refused our outstanding call. `details` is JSON."""

    message_id: str
    action: str
    code: str
    description: str
    details: bytes


class ReplyNotice(NamedTuple):
    """2.1 CALLRESULTERROR: the station could not use our answer. Take note, send nothing."""

    message_id: str
    code: str
    description: str
    details: bytes


class Repeat(NamedTuple):
    """A call that was answered before: send `frame`, handle nothing."""

    message_id: str
    frame: bytes


class Stray(NamedTuple):
    """A reply to nothing we wait for: too late, or never asked. Nothing is kept of it."""

    message_id: str


class Ignored(NamedTuple):
    """Nothing is to be done and nothing to be sent."""

    reason: str


Incoming = Call | Reply | ReplyError | Send | ReplyNotice | Repeat | Stray | Ignored


class BadFrame(CsmsError):
    """The frame cannot be used:"""

    def __init__(self, message_id: str, code: str, description: str, answer: bytes | None) -> None:
        """`answer` is the CALLERROR to send; None where the protocol wants silence."""
        super().__init__(description)
        self.message_id = message_id
        self.code = code
        self.description = description
        self.answer = answer


class CallOutstanding(CsmsError):
    """One call at a time (part 4, 4.1.1); still waiting for the reply to:"""


class Limits(NamedTuple):
    """Bounds of one connection: answers kept for repeats; characters of an error's text (2.x table 7)."""

    recent_answers: int = 64
    error_text: int = 255


DEFAULT_LIMITS = Limits()


class Rpc:
    """Framing and pairing for one connection.

    Feed each text frame to `receive`, in order. Every `Call` it returns wants exactly one `answer`,
    `refuse` or `forget`. To call the station: `call`, then wait for the `Reply` or `ReplyError` with that
    id, or `give_up`.
    """

    __slots__ = ("_errors", "_has_send", "_limits", "_outstanding", "_recent", "_running")

    def __init__(self, errors: ErrorCodes, has_send: bool = False, limits: Limits = DEFAULT_LIMITS) -> None:
        self._errors = errors
        self._has_send = has_send
        self._limits = limits
        self._recent = RecentAnswers(limits.recent_answers)
        self._running: dict[str, int] = {}
        self._outstanding: tuple[str, str] | None = None

    @property
    def outstanding(self) -> str | None:
        """The id of our call that waits for its reply."""
        return self._outstanding[0] if self._outstanding else None

    def receive(self, frame: bytes | str) -> Incoming:
        """What a text frame means. Raises BadFrame: send its `answer` if there is one, and count it."""
        try:
            message = frames.read(frame)
        except frames.UNREADABLE as exc:
            raise self._bad(frame, str(exc)) from exc
        # Most common first: stations talk far more than they answer.
        if type(message) is Call:
            return self._called(message)
        if type(message) is CallResult:
            action = self._paired(message.message_id)
            return (
                Reply(message.message_id, action, bytes(message.payload))
                if action
                else Stray(message.message_id)
            )
        if type(message) is CallError:
            action = self._paired(message.message_id)
            texts = message.texts(self._limits.error_text)
            return ReplyError(message.message_id, action, *texts) if action else Stray(message.message_id)
        return self._received_21(message)

    def _received_21(self, message: Send | CallError) -> Incoming:
        if not self._has_send:
            return self._unknown_type(message.message_id)
        if isinstance(message, Send):
            return message
        return ReplyNotice(message.message_id, *message.texts(self._limits.error_text))

    def answer(self, message_id: str, payload: bytes) -> bytes:
        """The CALLRESULT frame for a call. It is kept for the call's repeats."""
        asked = self._running.pop(message_id, None)
        if asked is not None:
            self._recent.keep(message_id, asked, payload)
        return frames.call_result(message_id, payload)

    def refuse(
        self, message_id: str, code: str, description: str = "", details: dict[str, Any] | None = None
    ) -> bytes:
        """The CALLERROR frame for a call. The same call again is handled anew. Never raises."""
        self._running.pop(message_id, None)
        return frames.call_error(message_id, code, description[: self._limits.error_text], details)

    def refuse_result(self, message_id: str, code: str, description: str = "") -> bytes | None:
        """The CALLRESULTERROR frame for a reply we cannot use (2.1); None in versions without it."""
        if not self._has_send:
            return None
        return frames.call_result_error(message_id, code, description[: self._limits.error_text])

    def forget(self, message_id: str) -> None:
        """Drop a call that will not be answered."""
        self._running.pop(message_id, None)

    def call(self, message_id: str, action: str, payload: bytes) -> bytes:
        """The CALL frame. Raises CallOutstanding while an earlier call waits for its reply."""
        if self._outstanding is not None:
            raise CallOutstanding(self._outstanding[0])
        self._outstanding = (message_id, action)
        return frames.call(message_id, action, payload)

    def give_up(self) -> None:
        """Stop waiting for the outstanding call; its reply will be a Stray."""
        self._outstanding = None

    def _called(self, call: Call) -> Incoming:
        message_id = call.message_id
        asked = hash(bytes(call.payload)) ^ hash(call.action)
        place = self._recent.find(message_id)
        # Most common first: an id that is new.
        if place < 0 and message_id not in self._running and "\0" not in message_id:
            self._running[message_id] = asked
            return call
        return self._called_again(call, asked, place)

    def _called_again(self, call: Call, asked: int, place: int) -> Incoming:
        message_id = call.message_id
        if "\0" in message_id:
            raise self._bad_frame(frames.UNREADABLE_ID, self._errors.rpc_framework, "NUL in the message id")
        if place >= 0:
            answer = self._recent.answer(place, asked)
            if answer is None:
                raise self._reused(message_id)
            return Repeat(message_id, frames.call_result(message_id, answer))
        if self._running[message_id] != asked:
            raise self._reused(message_id)
        return Ignored("the first of these calls is still being handled")

    def _paired(self, message_id: str) -> str:
        """The action of our call that this replies to; '' if we do not wait for it."""
        if self._outstanding is None or self._outstanding[0] != message_id:
            return ""
        action = self._outstanding[1]
        self._outstanding = None
        return action

    def _reused(self, message_id: str) -> BadFrame:
        return self._bad_frame(message_id, self._errors.protocol, "message id was used for another call")

    def _unknown_type(self, message_id: str) -> Incoming:
        # Part 4, 4.1.3: ignore the payload. 1.6 has no code for it and stays silent.
        if not self._errors.message_type:
            return Ignored("unknown message type")
        raise self._bad_frame(message_id, self._errors.message_type, Fault.TYPE.value)

    def _bad(self, frame: bytes | str, reason: str) -> BadFrame:
        """The error for a frame that could not be read, and whether its sender hears of it."""
        data = frame if isinstance(frame, bytes) else frame.encode("utf-8", "replace")
        fault, message_id = frames.diagnose(data)
        text = f"{fault.value}: {reason}"
        if fault is Fault.PAYLOAD:
            return self._bad_frame(message_id, self._errors.malformed, text)
        if fault is Fault.SHAPE:
            return self._bad_frame(message_id, self._errors.rpc_framework or self._errors.malformed, text)
        if fault is Fault.TYPE:
            return self._bad_frame(message_id, self._errors.message_type, text)
        if fault is Fault.REPLY:
            return BadFrame(message_id, self._errors.rpc_framework, text, None)
        return self._bad_frame(frames.UNREADABLE_ID, self._errors.rpc_framework, text)

    def _bad_frame(self, message_id: str, code: str, text: str) -> BadFrame:
        """With the CALLERROR to send, unless the version has no code for the case (1.6)."""
        answer = frames.call_error(message_id, code, text[: self._limits.error_text], None) if code else None
        return BadFrame(message_id, code, text, answer)
