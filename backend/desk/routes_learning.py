"""What was learned from a manager's decisions: to be seen, reset, and switched off (PIPL, Article 24)."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from backend.accounts.dependencies import PlatformDep, Source
from backend.desk import learning, repository
from backend.desk.lessons import Lesson
from backend.desk.pages import LearningPage, LessonLine
from backend.desk.profiles import load_early
from backend.desk.service import recommend
from backend.desk.visits import VisitDep
from backend.policy.catalogue import Catalogue
from backend.web.forms import FormDep
from backend.web.pages import LOCAL_ZONE, build_url, redirect, render

router = APIRouter()
SHOWN = 40
STRONG, SLIGHT = 0.4, 0.15


@router.get("/learning", name="desk.learning")
def show_learning(request: Request, visit: VisitDep) -> Response:
    """Show what was learned, strongest first."""
    profile = repository.find_profile(visit.session, visit.manager.id)
    lessons = learning.lessons_of(visit.session, visit.manager.id).values()
    strongest = sorted(lessons, key=lambda lesson: (-abs(lesson.effect), lesson.trait))[:SHOWN]
    page = LearningPage(
        lessons=[_line(lesson, visit.platform.catalogue) for lesson in strongest],
        since=profile.learning_since.astimezone(LOCAL_ZONE) if profile and profile.learning_since else None,
        personalised=profile is None or profile.personalised,
    )
    return render(request, page)


@router.post("/learning/reset", name="desk.reset_learning")
def reset(request: Request, form: FormDep, visit: VisitDep, source: Source) -> Response:  # noqa: ARG001
    """Forget what was learned."""
    learning.reset(visit.session, by=visit.manager, now=visit.now, source=source)
    return redirect(request, build_url(request.app, "desk.learning"), flash="学到的偏好已清除，推荐的次序已恢复。")


@router.post("/personal", name="desk.switch_personal")
def switch(request: Request, form: FormDep, visit: VisitDep, platform: PlatformDep, source: Source) -> Response:
    """Switch the personal order on or off; the queue follows at once."""
    pool = load_early(platform)
    wanted = form.first("personalised") == "1"
    learning.switch(visit.session, personalised=wanted, by=visit.manager, now=visit.now, source=source)
    recommend(visit.session, visit.manager.id, platform, pool=pool)
    flash = "个性化推荐已打开。" if wanted else "个性化推荐已关闭，推荐不再使用您的个人设置和以往的处理。"
    return redirect(request, build_url(request.app, "desk.queue"), flash=flash)


def _line(lesson: Lesson, catalogue: Catalogue) -> LessonLine:
    effect = "排得更前" if lesson.effect > 0 else "排得更后" if lesson.effect < 0 else "没有影响"
    size = "明显" if abs(lesson.effect) >= STRONG else "略微" if abs(lesson.effect) < SLIGHT else ""
    shown = f"{size}{effect}" if lesson.effect else effect
    return LessonLine(_name(lesson.trait, catalogue), lesson.taken, lesson.dismissed, shown)


def _name(trait: str, catalogue: Catalogue) -> str:
    kind, _, value = trait.partition(":")
    if kind == "field":
        return f"领域：{catalogue.field(value).name}"
    if kind == "places":
        return "地点：" + "、".join(catalogue.region(code).short for code in value.split("-"))
    return f"关键词：{value}"
