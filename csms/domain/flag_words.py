"""What quality flags mean, in words for people: Chinese and English. Knows no session."""

from typing import NamedTuple

from csms.domain.quality import Flag


class Words(NamedTuple):
    """A text in both languages."""

    zh: str
    en: str


FLAG_WORDS: dict[Flag, Words] = {
    Flag.REJECTED_START: Words(
        "令牌未被接受，充电桩仍然开始了充电。", "The station began although the token was not accepted."
    ),
    Flag.ORPHAN_STOP: Words("只收到停止消息，没有收到开始消息。", "Only its stop came; its start never did."),
    Flag.PROVISIONAL: Words(
        "开始消息尚未收到，目前只知道后来的消息。", "Its start has not come yet; only later messages have."
    ),
    Flag.NO_STOP: Words(
        "没有收到停止消息，由其他依据结束。", "Its stop never came; it was closed by other evidence."
    ),
    Flag.GAP: Words("消息序号有缺失。", "Sequence numbers of its messages are missing."),
    Flag.SEQ_CONFLICT: Words(
        "同一序号收到两个不同的消息。", "Two different messages came under one sequence number."
    ),
    Flag.TRANSACTION_ID_REUSED: Words(
        "充电桩重复使用了已结束订单的交易号。",
        "The station used the transaction id of an earlier session again.",
    ),
    Flag.REGISTER_RESET: Words(
        "电表读数中途下降，电量按各段相加。", "The register fell on the way; its rising parts were added up."
    ),
    Flag.SESSION_REGISTER: Words(
        "过程读数从零计起，开始和停止读数不是。", "Its samples count from zero; its start and stop do not."
    ),
    Flag.STOP_BELOW_START: Words(
        "停止读数低于开始读数，无法得出电量。", "The stop register is below the start: they give no energy."
    ),
    Flag.IMPLAUSIBLE_ENERGY: Words(
        "电量超过该充电桩可能提供的最大值。", "More energy than the station can have delivered."
    ),
    Flag.UNREADABLE_VALUE: Words("有读数无法识别。", "A value could not be read."),
    Flag.UNKNOWN_UNIT: Words("有读数的单位无法识别。", "A value came in an unknown unit."),
    Flag.CLOCK: Words(
        "充电桩时钟不可用，时间按到达时间计。",
        "The station's clock was unusable; times are those of arrival.",
    ),
    Flag.BAD_CONNECTOR: Words("充电接口编号不可能存在。", "It names a connector that cannot be."),
    Flag.LATE_DATA: Words("结束之后又收到数据。", "Something came after its end."),
    Flag.CLOSED_BY_HAND: Words(
        "由工作人员手动结束，见证据中的说明。", "A person closed it; the evidence says who and why."
    ),
    Flag.STOP_ATTACHED: Words(
        "停止消息由工作人员确认归属。", "A person said that an orphan stop is its own."
    ),
    Flag.DISMISSED: Words(
        "孤立的停止消息，已由工作人员处理。", "An orphan stop that a person has dealt with."
    ),
    Flag.ESTIMATED: Words(
        "结束时间是推断的，不是充电桩报告的。",
        "Its end is what the evidence says, not what the station said.",
    ),
}
"""Every flag; a session shows only those it has."""
