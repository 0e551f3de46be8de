"""What answers mean."""

import json
from typing import Any

import pytest

from csms.reporting.tcec.envelope import Response
from csms.reporting.tcec.messages import read
from csms.reporting.tcec.outcomes import (
    Delivered,
    Disputed,
    Ignored,
    Outcome,
    Refused,
    Rejected,
    Retry,
    Token,
    judge,
    judge_http,
    judge_token,
    printable,
)
from csms.reporting.tcec.profile import Answers, load_profile

STANDARD = load_profile("tcec102-2016")
SEQ = "1" * 27
ORDER = read(
    "charge-order",
    {
        "start_charge_seq": SEQ,
        "operator_id": "123456789",
        "site_code": "S",
        "identity": "C",
        "evse": 1,
        "connector": 1,
        "started_at": "2026-01-01T00:00:00Z",
        "ended_at": "2026-01-01T01:00:00Z",
        "energy_wh": 1,
    },
)
STATUS = read(
    "connector-status",
    {
        "operator_id": "123456789",
        "identity": "C",
        "evse": 1,
        "connector": 1,
        "status": "available",
        "at": "2026-01-01T00:00:00Z",
    },
)


def said(body: Any, ret: int = 0, msg: str = "") -> Response:
    return Response(ret, msg, None if body is None else json.dumps(body))


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ({"StartChargeSeq": SEQ, "ConfirmResult": 0}, Delivered({"StartChargeSeq": SEQ, "ConfirmResult": 0})),
        ({"ConfirmResult": "0"}, Delivered({"ConfirmResult": "0"})),
        ({"StartChargeSeq": SEQ, "ConfirmResult": 1}, Disputed("ConfirmResult 1", 1)),
        ({"StartChargeSeq": SEQ, "ConfirmResult": 42}, Disputed("ConfirmResult 42", 42)),
        ({"StartChargeSeq": "2" * 27, "ConfirmResult": 0}, Retry("the answer is about another order")),
        ({"StartChargeSeq": SEQ}, Retry("the answer has no ConfirmResult")),
        ({"ConfirmResult": True}, Retry("the answer has no ConfirmResult")),
        (None, Retry("the answer says nothing about the message")),
        ([], Retry("the answer says nothing about the message")),
    ],
)
def test_an_orders_answer(body: Any, outcome: Outcome) -> None:
    """Only ConfirmResult 0 for this very order is a delivery."""
    assert judge(ORDER, said(body), STANDARD) == outcome


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ({"Status": 0}, Delivered({"Status": 0})),
        ({"Status": 1}, Ignored("Status 1")),
        ({"Status": 2}, Rejected("Status 2")),
        ({}, Retry("the answer has no Status")),
    ],
)
def test_a_status_answer(body: Any, outcome: Outcome) -> None:
    """Status 1 ends the matter without a repeat."""
    assert judge(STATUS, said(body), STANDARD) == outcome


@pytest.mark.parametrize(
    ("ret", "outcome"),
    [
        (-1, Retry("Ret -1 why")),
        (500, Retry("Ret 500 why")),
        (4001, Refused("Ret 4001 why")),
        (4002, Retry("Ret 4002 why")),
        (4003, Rejected("Ret 4003 why")),
        (4004, Rejected("Ret 4004 why")),
        (4999, Rejected("Ret 4999 why")),
    ],
)
def test_a_ret_that_is_no_success(ret: int, outcome: Outcome) -> None:
    """Whatever Data may say beside it."""
    assert judge(STATUS, said({"Status": 0}, ret, "why"), STANDARD) == outcome


def test_already_have_it_is_a_profiles_matter() -> None:
    """4015 ends an order where the profile says so, and refuses it elsewhere."""
    zhejiang = STANDARD.model_copy(update={"answers": Answers(already=(4015,))})

    assert judge(ORDER, said(None, 4015), zhejiang) == Delivered({"Ret": 4015})
    assert judge(ORDER, said(None, 4015), STANDARD) == Rejected("Ret 4015")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (said({"SuccStat": 0, "AccessToken": "abc", "TokenAvailableTime": 7200}), Token("abc", 7200)),
        (said({"SuccStat": "0", "AccessToken": "abc", "TokenAvailableTime": "60"}), Token("abc", 60)),
        (said({"SuccStat": 0, "AccessToken": "abc", "TokenAvailableTime": 10**9}), Token("abc", 604_800)),
        (said({"SuccStat": 0, "AccessToken": "abc", "TokenAvailableTime": -5}), Token("abc", 0)),
        (said({"SuccStat": 1, "FailReason": 2}), Refused("query_token: no token, FailReason 2")),
        (said({"SuccStat": 0, "AccessToken": ""}), Retry("query_token: the token has no usable form")),
        (said({"SuccStat": 0, "AccessToken": "a\r\nb"}), Retry("query_token: the token has no usable form")),
        (said({"SuccStat": 0, "AccessToken": None}), Retry("query_token: the token has no usable form")),
        (said(None), Retry("query_token: the answer is empty")),
        (said(None, -1), Retry("Ret -1")),
        (said(None, 4003, "stopped"), Refused("query_token: Ret 4003 stopped")),
        (said(None, 4001), Refused("query_token: Ret 4001")),
    ],
)
def test_a_tokens_answer(answer: Response, outcome: object) -> None:
    """A token of use, trouble that passes, or credentials that are not wanted."""
    assert judge_token(answer, STANDARD) == outcome


@pytest.mark.parametrize(
    ("status", "retry_after", "outcome"),
    [
        (200, None, None),
        (204, None, Retry("HTTP 204")),
        (302, None, Refused("HTTP 302: a redirect is not followed")),
        (400, None, Rejected("HTTP 400")),
        (401, None, Refused("HTTP 401")),
        (403, None, Refused("HTTP 403")),
        (404, None, Rejected("HTTP 404")),
        (408, None, Retry("HTTP 408")),
        (422, None, Rejected("HTTP 422")),
        (429, "120", Retry("HTTP 429", 120)),
        (429, "Wed, 21 Oct 2026 07:28:00 GMT", Retry("HTTP 429")),
        (429, "-1", Retry("HTTP 429")),
        (500, None, Retry("HTTP 500")),
        (503, "999999999", Retry("HTTP 503", 86_400)),
        (599, None, Retry("HTTP 599")),
    ],
)
def test_http_statuses(status: int, retry_after: str | None, outcome: Outcome | None) -> None:
    """Before any body is looked at."""
    assert judge_http(status, retry_after) == outcome


def test_a_peers_words_are_made_harmless() -> None:
    """No line breaks, no escape sequences, no end of it."""
    assert printable("a\nb\x1b[31m" + "c" * 1000) == "a b [31m" + "c" * 192


def test_a_token_is_never_shown() -> None:
    """Not in a log of it."""
    assert "abc" not in repr(Token("abc", 1))
