"""Every text on the screens can be read in every theme: each colour in use is a role, and each pair has contrast."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from textual.screen import ModalScreen

from console.ui.glyphs import PLAIN
from console.ui.terminal import Terminal
from tests.support import scenes
from tests.support.cells import Run, runs, strips
from tests.support.contrast import PROBE, SHIPPED, VGA, XTERM, contrast, of_palette, role_of, roles_of
from tests.support.scenes import SceneApp, Triage, open_workspace, rest, set_stage

OWN_COLOURS = {("#ffffff", "#000000")}
"""What has colours of its own in every theme: the code that is scanned."""
ADORNMENT = {("rule", "cursor"): 2.0}
"""The empty end of a bar in the row under the cursor: the full part tells all there is to tell."""


async def jump(stage: Triage) -> None:
    await stage.pilot.press("ctrl+o")


async def limits(stage: Triage) -> None:
    await stage.pilot.press("3")
    await rest(stage)


async def toasts(stage: Triage) -> None:
    for severity in ("information", "warning", "error"):
        stage.app.notify("Something was said.", title="Title", severity=severity)  # type: ignore[arg-type]
    await stage.pilot.pause()


async def selected(stage: Triage) -> None:
    stage.search.box.focus()
    stage.search.box.value = "everything of it"
    stage.search.box.select_all()
    await stage.pilot.pause()


Step = Callable[[Triage], Awaitable[None]]
TOURS: dict[str, list[Step]] = {
    "triage": [
        scenes.details, jump, selected, scenes.case, scenes.paste, scenes.open_file, scenes.palette, scenes.help_,
        toasts, scenes.sign_in_token, scenes.sign_in,
    ],
    "review": [scenes.review_few, scenes.searching, scenes.review_many],
    "drain": [scenes.draining, scenes.stop, limits],
    "history": [scenes.history_filtered, scenes.history_mistake, scenes.export],
    "damaged": [scenes.history_damaged, scenes.history_notices],
    "resume": [scenes.resume],
}  # fmt: skip


async def walk(tour: list[Step], stage: Triage) -> AsyncIterator[Step]:
    """Each step of a tour, with the dialogs of the one before it out of the way."""
    for step in tour:
        while isinstance(stage.app.screen, ModalScreen):
            stage.app.pop_screen()
            await stage.pilot.pause()
        await step(stage)
        yield step


def least(name: str, drawn: bool) -> float:
    if drawn:
        return 3.0
    return 7.0 if name == "high-contrast" else 4.5


@pytest.mark.long
@pytest.mark.parametrize("name", TOURS)
async def test_every_colour(name: str) -> None:
    app = SceneApp(await open_workspace())
    app.register_theme(PROBE)
    app.theme = "probe"
    pairs: dict[tuple[str, str, bool], Run] = {}
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        stage = await set_stage(pilot)
        async for _ in walk(TOURS[name], stage):
            for run in runs(app):
                pairs.setdefault((role_of(run.color), role_of(run.ground), run.drawn), run)
            for strip in strips(app):
                assert strip.cell_length == 120
                own = {one for one in strip.text if not one.isascii() and not one.isalnum()}
                assert not own - PLAIN.keys(), "what stands for it in ASCII?"
        app.fit(Terminal("16", glyphs=False, letters=False))
        await rest(stage)
        in_sixteen(list(runs(app)))
        assert all(strip.text.isascii() and strip.cell_length == 120 for strip in strips(app))
        app.fit(Terminal("none"))
        await rest(stage)
        for run in runs(app):
            assert run.style.color is None or run.style.color.is_default, run
            assert run.style.bgcolor is None or run.style.bgcolor.is_default, run
    in_every_theme(pairs)


def in_every_theme(pairs: dict[tuple[str, str, bool], Run]) -> None:
    poor = []
    for (text, ground, drawn), run in pairs.items():
        if (text, ground) in OWN_COLOURS:
            continue
        for one in SHIPPED:
            roles = roles_of(one)
            if one.ansi:
                continue
            assert {text, ground} <= roles.keys(), f"a colour that is no role: {text} on {ground}: {run}"
            wanted = ADORNMENT.get((text, ground), least(one.name, drawn)) if drawn else least(one.name, drawn)
            if (found := contrast(roles[text], roles[ground])) < wanted:
                poor.append(f"{one.name}: {text} on {ground}: {found:.2f}: {run.text!r}")
    assert not poor, "\n".join(poor)


def in_sixteen(found: list[Run]) -> None:
    for palette in (VGA, XTERM):
        for run in found:
            text, ground = of_palette(run.color, palette, ground=False), of_palette(run.ground, palette, ground=True)
            assert contrast(text, ground) >= (3.0 if run.drawn else 4.5), run
