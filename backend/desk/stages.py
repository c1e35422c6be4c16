"""The stages of a case, why one ends, and which step may follow which: the whole state machine of the pipeline, pure.

    推荐 → 已联系 → 需求确认 → 多方沟通 → 方案 → 意向 → 签约 → 登记

Until a contract is signed a case may skip stages and may be put back, but what was contacted never becomes merely
recommended again. Signing needs a contract; taking a contract back leads to 意向. Registration ends a case well; an
exit with its reason ends it otherwise, and only before signing.
"""

from collections.abc import Mapping
from enum import StrEnum


class Stage(StrEnum):
    """How far a case has come, in order."""

    RECOMMENDED = "recommended"
    CONTACTED = "contacted"
    CONFIRMED = "confirmed"
    TALKS = "talks"
    PROPOSAL = "proposal"
    INTENT = "intent"
    SIGNED = "signed"
    REGISTERED = "registered"

    @property
    def label(self) -> str:
        """Return the word people read."""
        return STAGE_LABELS[self]

    @property
    def place(self) -> int:
        """Return the place in the order, from 0."""
        return list(Stage).index(self)


STAGE_LABELS = {
    Stage.RECOMMENDED: "推荐",
    Stage.CONTACTED: "已联系",
    Stage.CONFIRMED: "需求确认",
    Stage.TALKS: "多方沟通",
    Stage.PROPOSAL: "方案",
    Stage.INTENT: "意向",
    Stage.SIGNED: "签约",
    Stage.REGISTERED: "登记",
}


class Exit(StrEnum):
    """Why a case ended without a contract."""

    MISMATCH = "mismatch"
    UNREACHABLE = "unreachable"
    SOLVED = "solved"
    PRICE = "price"
    TIME = "time"
    DECLINED = "declined"
    GIVEN_UP = "given_up"

    @property
    def label(self) -> str:
        """Return the word people read."""
        return EXIT_LABELS[self]


EXIT_LABELS = {
    Exit.MISMATCH: "不匹配",
    Exit.UNREACHABLE: "联系不上",
    Exit.SOLVED: "已自行解决",
    Exit.PRICE: "价格谈不拢",
    Exit.TIME: "时间不合适",
    Exit.DECLINED: "一方不愿意接触",
    Exit.GIVEN_UP: "长期没有进展",
}
# The last two are what consents and the clock say; a manager chooses among the others.
CHOSEN_EXITS = tuple(reason for reason in Exit if reason not in {Exit.DECLINED, Exit.GIVEN_UP})

_NEGOTIATED = (Stage.CONTACTED, Stage.CONFIRMED, Stage.TALKS, Stage.PROPOSAL, Stage.INTENT)
BEFORE_SIGNING = frozenset({Stage.RECOMMENDED, *_NEGOTIATED})
CONCLUDED = frozenset({Stage.SIGNED, Stage.REGISTERED})
MOVES: Mapping[Stage, frozenset[Stage]] = {
    Stage.RECOMMENDED: frozenset(_NEGOTIATED),
    **{stage: frozenset(_NEGOTIATED) - {stage} for stage in _NEGOTIATED},
    Stage.PROPOSAL: frozenset({*_NEGOTIATED, Stage.SIGNED}) - {Stage.PROPOSAL},
    Stage.INTENT: frozenset({*_NEGOTIATED, Stage.SIGNED}) - {Stage.INTENT},
    Stage.SIGNED: frozenset({Stage.INTENT, Stage.REGISTERED}),
    Stage.REGISTERED: frozenset(),
}


def may_move(before: Stage, after: Stage) -> bool:
    """Tell whether a case may go from one stage to another."""
    return after in MOVES[before]


def may_exit(stage: Stage) -> bool:
    """Tell whether a case at this stage may end without a contract."""
    return stage in BEFORE_SIGNING


def plain_moves(stage: Stage) -> tuple[Stage, ...]:
    """Return where a select and a button lead from here, in order: signing and registration have forms of their own."""
    if stage not in BEFORE_SIGNING:
        return ()
    return tuple(after for after in Stage if may_move(stage, after) and after not in CONCLUDED)
