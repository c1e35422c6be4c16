"""The ground of policy that a pair stands on: its field, its pair of places, and what may help it close."""

from collections.abc import Iterator
from dataclasses import dataclass

from backend.listings.repository import ListingBundle
from backend.listings.tables import Maturity, Mode
from backend.policy.catalogue import Catalogue
from backend.policy.entries import Use


@dataclass(frozen=True)
class Ground:
    """One article that speaks for a pair: `cite` names the text and the article, `text` says why it applies here."""

    cite: str
    text: str


def find_grounds(demand: ListingBundle, supply: ListingBundle, catalogue: Catalogue) -> tuple[Ground, ...]:
    """Return what the two decisions say for this pair: places first, then the field, then what helps."""
    return (
        *_places(demand, supply, catalogue),
        *_fields(demand, supply, catalogue),
        *_helps(demand, supply, catalogue),
    )


def _cite(number: int, decision: str = "") -> str:
    return f"{decision or '两地'}决定第{_chinese(number)}条"


def _chinese(number: int) -> str:
    """Write 1 to 99 in Chinese numerals."""
    digits = "零一二三四五六七八九"
    tens, ones = divmod(number, 10)
    head = ("" if tens <= 1 else digits[tens]) + ("十" if tens else "")
    return head + (digits[ones] if ones or not tens else "")


def _places(demand: ListingBundle, supply: ListingBundle, catalogue: Catalogue) -> Iterator[Ground]:
    """Article 5 differs between the two texts, so each entry names whose text it is."""
    fields = {*demand.fields, *supply.fields}
    industries = {code for code in (demand.listing.industry_code, supply.listing.industry_code) if code}
    supports = catalogue.pairing_articles(
        demand.listing.region_code,
        supply.listing.region_code,
        fields=fields,
        industries=industries,
        text=f"{demand.listing.title} {supply.listing.title}",
    )
    for support in supports[:2]:
        place = catalogue.region(support.article.decision.place).short
        topic = f"（{support.topic.name}）" if support.topic else ""
        yield Ground(_cite(support.article.number, place), support.pairing.reason + topic)


def _fields(demand: ListingBundle, supply: ListingBundle, catalogue: Catalogue) -> Iterator[Ground]:
    shared = [code for code in demand.fields if code in supply.fields]
    if shared:
        names = "、".join(catalogue.field(code).name for code in shared)
        yield Ground(_cite(8), f"双方同属优先领域：{names}")


def _helps(demand: ListingBundle, supply: ListingBundle, catalogue: Catalogue) -> Iterator[Ground]:
    """Name at most three things that could help this pair close; each only where it concerns the pair."""
    park = supply.listing.park_code or demand.listing.park_code
    if park:
        yield Ground(_cite(_number(catalogue, Use.PARK)), f"可以落在{catalogue.park(park).name}")
    if demand.demand and demand.demand.hopes_for_voucher:
        yield Ground(_cite(_number(catalogue, Use.VOUCHER)), "需求方希望使用科技创新券，三地正在推进互认")
    maturity = supply.supply.maturity if supply.supply else None
    if maturity in {Maturity.SAMPLE, Maturity.BENCH_TESTED}:
        yield Ground(_cite(_number(catalogue, Use.PILOT_BASE)), "成果尚未中试，可以用三地共建的概念验证中心和中试基地")
    if Mode.JOINT_TEAM in demand.modes and Mode.JOINT_TEAM in supply.modes:
        yield Ground(_cite(_number(catalogue, Use.JOINT_TEAM)), "双方都愿意组成创新联合体联合攻关")


def _number(catalogue: Catalogue, use: Use) -> int:
    """Return the number of the article that supports a use; both texts number alike."""
    return catalogue.articles_supporting(use)[0].number
