"""What the console looks like at the moments that matter: for snapshots, and for the pictures of the README.

Everything that could differ between two runs or two machines is fixed: clock, seed, IDs, operator, host. A scene ends
at rest, where nothing but the clock would change the screen.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input
from textual.widgets._toast import Toast

from console.clock import ManualClock
from console.credentials import SignIn
from console.demo.faults import Fault
from console.demo.tokens import App
from console.okta.auth.endpoint import TokenEndpoint
from console.okta.auth.operator import Kept, OperatorSignIn
from console.okta.limits import Bucket
from console.okta.models import User
from console.org_history import history_folder
from console.revocation.states import Options, State
from console.settings import Settings, load_demo
from console.ui.app import EvictApp
from console.ui.dialogs.own_sessions import OwnSessionsDialog
from console.ui.dialogs.paste import PasteBox
from console.ui.dialogs.profiles import ProfilesDialog
from console.ui.dialogs.resume import ResumeDialog
from console.ui.dialogs.review import ReviewDialog
from console.ui.dialogs.sign_in import SignInDialog
from console.ui.own_sessions import end_my_sessions
from console.ui.profiles import Choice
from console.ui.widgets.virtual_table import VirtualTable
from console.workspace import Workspace
from tests.support.left import Left, leave
from tests.support.paper_history import document, paper_history
from tests.support.triage import Triage
from tests.support.ui import STYLES, record, settled

CASE, REASON = "INC-2041", "stolen session cookies"
DAMAGE = (
    "history-01KAQ.jsonl: its last line was cut off in the middle; what was there of it is in .torn-01KAQ.",
    "The history was altered or damaged: history-01KAP.jsonl: line 812 is not what was written; line 811 is sound.",
)
TROUBLE = (
    *([None] * 3),
    Fault(403, code="E0000006"),
    *([None] * 4),
    Fault(404, code="E0000007"),
    *([None] * 16),
    *([Fault(503)] * 3),
    *([None] * 13),
    *([Fault(503)] * 2),
)
"""What goes wrong with the first requests of a batch, so that every kind of row is there to be seen."""


def _ids() -> Iterator[str]:
    for number in itertools.count():
        yield f"01KAQ{number:021d}"


async def open_workspace(users: int = 300, **settings: Any) -> Workspace:
    """A demo org on a clock that stands still, seen by an operator of no particular machine."""
    workspace = await Workspace.open_demo(load_demo(**settings), users=users, seed=7, clock=ManualClock())
    workspace.operator = workspace.operator.model_copy(update={"os_user": "riley", "host": "soc-1"})
    workspace.queue.new_id = _ids().__next__
    return workspace


class SceneApp(EvictApp):
    """Ends what its workspace is doing on the loop it was begun on."""

    CSS_PATH = STYLES

    async def on_unmount(self) -> None:  # type: ignore[override]
        await self.workspace.aclose()


Scene = Callable[[Triage], Awaitable[None]]


async def rest(stage: Triage, seconds: float = 1.0) -> None:
    """Let the moment pass that counting and sorting wait for, clear toasts away, and paint."""
    await settled(stage.pilot)
    clock = stage.workspace.clock
    assert isinstance(clock, ManualClock)
    await clock.advance(seconds)
    await settled(stage.pilot)
    for screen in stage.app.screen_stack:
        await screen.query(Toast).remove()
        for box in screen.query(Input):
            box.cursor_blink = False
    stage.app._tick()
    await settled(stage.pilot)


async def set_stage(pilot: Pilot[Any]) -> Triage:
    """The console, connected."""
    app = pilot.app
    assert isinstance(app, EvictApp)
    stage = Triage(app, pilot, app.workspace)
    await stage.until(lambda: app.workspace.connection.state == "connected")
    await settled(pilot)
    return stage


def run_before(scene: Scene) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """The scene, as `snap_compare` takes it."""

    async def run(pilot: Pilot[Any]) -> None:
        await scene(await set_stage(pilot))

    return run


async def everybody(stage: Triage) -> list[User]:
    """The active users of the org, found as an operator would."""
    await stage.find('=status eq "ACTIVE"')
    return list(stage.results.rows)


async def confirm(stage: Triage, users: list[User], *, case: str = CASE, reason: str = REASON) -> None:
    """Run a batch as far as this window goes."""
    items = stage.stage(users, Options(oauth_tokens=True))
    await stage.workspace.dispatcher.confirm([item.id for item in items], case=case, reason=reason)
    await at_rest(stage)


async def at_rest(stage: Triage) -> None:
    """Wait until the running batch waits for a window, with nothing under way."""
    pacer = stage.workspace.pacer

    def waits() -> bool:
        flying = sum(one.in_flight for one in pacer.snapshot() if one.bucket == Bucket.USERS)
        return pacer.state().startswith(("waiting", "holding")) and not flying and State.SENDING not in stage.states()

    await stage.until(waits)


# The scenes


async def empty(stage: Triage) -> None:
    """Nothing was done yet."""
    await rest(stage)


async def searching(stage: Triage) -> None:
    """Three of those found are marked."""
    await stage.find("an")
    await stage.pilot.press("space", "space", "down", "space")
    stage.search.box.focus()
    await rest(stage)


async def details(stage: Triage) -> None:
    """Users in the queue, and a closer look at another."""
    await searching(stage)
    stage.results.focus()
    stage.screen._intent.case, stage.screen._intent.reason = CASE, REASON
    await stage.pilot.press("t", "plus")
    await stage.until(lambda: len(stage.states()) == 3)
    await stage.find("svc")
    await stage.pilot.press("plus", "enter")
    # The drawer asks the history in a thread of its own, and Okta once the cursor has rested.
    await stage.until(lambda: "Evict has never revoked it" in stage.words("#details-past"))
    await rest(stage)
    await stage.until(lambda: stage.workspace.dossiers.at_rest and "Asked" in stage.words("#details-hits"))
    await rest(stage, 0)


async def review_few(stage: Triage) -> None:
    """A `y` is enough; the operator's own account and software are pointed out."""
    await searching(stage)
    stage.results.focus()
    await stage.pilot.press("t", "plus")
    me = stage.workspace.me
    assert me is not None
    await stage.find("svc-ma")
    await stage.pilot.press("plus")
    stage.stage([me])
    await _reviewed(stage)


async def review_many(stage: Triage) -> None:
    """Their number is to be typed."""
    users = await everybody(stage)
    stage.stage(users, Options(oauth_tokens=True))
    stage.screen._intent.case, stage.screen._intent.reason = CASE, REASON
    await _reviewed(stage)
    stage.app.screen.query_one("#number", Input).value = str(len(users) - 1)
    await rest(stage)


async def _reviewed(stage: Triage) -> None:
    await stage.pilot.press("r")
    await stage.until(lambda: isinstance(stage.app.screen, ReviewDialog) and stage.app.screen.armed)
    await rest(stage)


async def draining(stage: Triage) -> None:
    """A batch that has used up this window, with some trouble on the way."""
    org = stage.workspace.demo_org
    assert org is not None
    org.faults.queue(*TROUBLE)
    users = await everybody(stage)
    stage.screen._intent.case, stage.screen._intent.reason = CASE, REASON
    await confirm(stage, users[1:])
    await stage.find("be")
    await rest(stage, 14)


async def paused(stage: Triage) -> None:
    """The same, held by the operator."""
    await draining(stage)
    await stage.pilot.press("z")
    await rest(stage)


async def history(stage: Triage) -> None:
    """Records of many kinds, and one of them in full."""
    await stage.workspace.history.add([record(number) for number in range(40)])
    await stage.pilot.press("2")
    await rest(stage)
    await stage.pilot.press("down", "down", "space")
    await rest(stage)


async def history_filtered(stage: Triage) -> None:
    """A word is being typed, its rest is offered in grey, and related records are counted."""
    await history(stage)
    stage.app.screen.query_one("#filter", Input).focus()
    await stage.pilot.press(*"-outcome:revoked case:INC-20")
    await rest(stage)
    await stage.pilot.press(*"41 by:op")
    await rest(stage)


async def history_mistake(stage: Triage) -> None:
    """A word that can't be understood: what to write is said, the list stays."""
    await history(stage)
    stage.app.screen.query_one("#filter", Input).focus()
    await stage.pilot.press(*"outcome:faild")
    await rest(stage)


async def history_loading(stage: Triage) -> None:
    """A long history that is still being read."""
    paper = paper_history(0, loaded=False)
    stage.workspace.history.close()
    stage.workspace.history = paper  # type: ignore[assignment]
    await stage.pilot.press("2")
    await rest(stage)
    paper.put([document(number, 41_999) for number in range(0, 42_000, 42)])
    await rest(stage)


async def history_damaged(stage: Triage) -> None:
    """What was found wrong with it, nobody having looked at that yet."""
    paper = paper_history(60)
    paper.notices = DAMAGE
    stage.workspace.history.close()
    stage.workspace.history = paper  # type: ignore[assignment]
    await stage.pilot.press("2")
    await rest(stage)
    await stage.pilot.press("s", "s", "down")
    await rest(stage)


async def history_notices(stage: Triage) -> None:
    """The same, looked at."""
    await history_damaged(stage)
    await stage.pilot.press("n")
    await rest(stage)


async def proof(stage: Triage) -> None:
    """What the history says of a case: one revocation took two attempts."""
    org, clock = stage.workspace.demo_org, stage.workspace.clock
    assert org is not None
    assert isinstance(clock, ManualClock)
    org.faults.queue(*([None] * 3), Fault(403, code="E0000006"), None, Fault(503), None, None, Fault(404))
    users = await everybody(stage)
    items = stage.stage(users[1:20], Options(oauth_tokens=True))
    await stage.workspace.dispatcher.confirm([item.id for item in items], case=CASE, reason=REASON)
    await stage.until(lambda: stage.states().count(State.RETRYING) == 1 and State.SENDING not in stage.states())
    await clock.advance(5)
    await stage.until(lambda: not stage.workspace.dispatcher.running)
    await stage.pilot.press("2")
    await settled(stage.pilot)
    stage.app.screen.query_one("#filter", Input).value = f"case:{CASE}"
    await rest(stage)
    table = stage.app.screen.query_one("#records", VirtualTable)
    table.move_to(next(place for place, one in enumerate(table.rows) if one.attempts > 1))
    await rest(stage)


async def history_empty(stage: Triage) -> None:
    """Nothing was revoked yet."""
    await stage.pilot.press("2")
    await rest(stage)


async def limits(stage: Triage) -> None:
    """After a few requests."""
    await stage.find("ma")
    await stage.pilot.press("3")
    await rest(stage)


async def limits_draining(stage: Triage) -> None:
    """While a batch waits for its third window, and others use the org too."""
    org, clock = stage.workspace.demo_org, stage.workspace.clock
    assert org is not None
    assert isinstance(clock, ManualClock)
    await draining(stage)
    for seconds, others in ((20, 9), (35, 14), (10, 5), (20, 12)):
        await clock.advance(seconds)
        org.others_spend("users", others)
        await at_rest(stage)
    await stage.find("ma")
    await stage.pilot.press("3")
    await rest(stage)


async def limits_empty(stage: Triage) -> None:
    """On the way in."""
    await stage.pilot.press("3")
    await rest(stage)


async def help_(stage: Triage) -> None:
    """Every key."""
    await stage.pilot.press("question_mark")
    await rest(stage)


async def palette(stage: Triage) -> None:
    """Every command."""
    await stage.pilot.press("ctrl+p")
    await stage.until(lambda: "Case and reason" in stage.text())
    await rest(stage)


async def case(stage: Triage) -> None:
    """Case and reason."""
    await stage.pilot.press("c", *CASE, "enter", *"phish")
    await rest(stage)


async def paste(stage: Triage) -> None:
    """Some of what was pasted is no target."""
    await stage.pilot.press("p")
    box = stage.app.screen.query_one(PasteBox)
    box.cursor_blink = False
    box.text = (
        "login,seen\nmallory.reyes@acme.test,09:12\nmallory.reyes@acme.test,09:15\n-,\ndavid.reed@acme.test,09:20\n"
    )
    await stage.until(lambda: "duplicate" in stage.words("#summary"))
    await rest(stage)


async def open_file(stage: Triage) -> None:
    """A file that is not there."""
    await stage.pilot.press("o", *"incident.csv", "enter")
    await stage.until(lambda: bool(stage.words("#problem")))
    await rest(stage)


async def unresolved(stage: Triage) -> None:
    """Targets that gave no user."""
    await stage.pilot.press("p")
    stage.app.screen.query_one(PasteBox).text = "nobody@acme.test\nmallory.reyes@acme.test\n00uAAAAAAAAAAAAAAAAA\n"
    await stage.until(lambda: "3 targets" in stage.words("#summary"))
    await stage.pilot.press("ctrl+s")
    await stage.until(lambda: len(stage.screen._intent.lookups.unresolved) == 2 and stage.states())
    await stage.pilot.press("n")
    await rest(stage)


async def export(stage: Triage) -> None:
    """Where to write to."""
    await history(stage)
    await stage.pilot.press("e")
    await rest(stage)


async def resume(stage: Triage) -> None:
    """A batch that a console left when it died; some may have been carried out."""
    workspace = stage.workspace
    folder = history_folder(workspace.settings, demo=True)
    users = [(one.id, one.login) for one in (await everybody(stage))[1:41]]
    left = Left(users, revoked=21, unknown=3, case=CASE, reason=REASON, operator=workspace.operator)
    await leave(folder, left, workspace.clock, _ids().__next__)
    await asyncio.to_thread(workspace.history.refresh)
    stage.app.resumer.open()
    await stage.until(lambda: isinstance(stage.app.screen, ResumeDialog) and stage.app.screen.armed)
    await rest(stage)


class NothingKept:
    """In place of a keyring."""

    def get(self) -> None:
        """Nothing."""

    def put(self, kept: Kept) -> None:
        """Kept nowhere."""

    def delete(self) -> bool:
        """There was nothing."""
        return False

    def claim(self) -> bool:
        """Nobody else is there."""
        return True

    def release(self) -> None:
        """Nobody waits."""


async def sign_in(stage: Triage) -> None:
    """A code, waiting to be used."""
    workspace, org = stage.workspace, stage.workspace.demo_org
    assert org is not None
    org.office.register(App("0oaNATIVE", frozenset({"okta.users.manage"})))
    endpoint = TokenEndpoint(workspace.org_url, workspace.clock, headers={})
    operator = OperatorSignIn(
        endpoint, workspace.clock, NothingKept(), client_id="0oaNATIVE", scopes=("okta.users.manage", "offline_access")
    )
    workspace.credential = SignIn(operator.auth, "device", operator=operator)
    stage.app.push_screen(SignInDialog(workspace))
    await stage.until(lambda: "type the code" in stage.text())
    await rest(stage)


async def sign_in_token(stage: Triage) -> None:
    """A token, which nobody sees."""
    stage.app.push_screen(SignInDialog(stage.workspace))
    await stage.until(lambda: isinstance(stage.app.screen, SignInDialog))
    await stage.pilot.press(*"00secret", "space", "x", "enter")
    await stage.until(lambda: bool(stage.words("#problem")))
    await rest(stage)


async def own_sessions(stage: Triage) -> None:
    """One's own: a cookie that nobody sees was refused, and another one is being typed."""
    end_my_sessions(stage.app, stage.workspace)
    await stage.until(lambda: isinstance(stage.app.screen, OwnSessionsDialog))
    await stage.pilot.press(*"wrong-cookie", "enter", "enter")
    await stage.until(lambda: "does not accept" in stage.words("#own-problem"))
    await stage.pilot.press(*"2b822029ea6c")
    await rest(stage)


async def profiles(stage: Triage) -> None:
    """Several orgs, of which one is open and one can't be."""
    prod = Settings(profile="prod", org_url="https://acme.okta.com", colour="red", protected_groups=("Break Glass",))
    found = [
        Choice("prod", prod, here=True),
        Choice("emea", Settings(org_url="https://acme-emea.okta-emea.com", colour="orange", read_only=True)),
        Choice("preview", Settings(org_url="https://acme.oktapreview.com", colour="green", reserve=0.0)),
        Choice("lab", problem="org_url (config.toml [profiles.lab]) must start with https://, not http://"),
    ]
    stage.app.push_screen(ProfilesDialog(found, stage.app.profiles.switch))
    await stage.until(lambda: isinstance(stage.app.screen, ProfilesDialog))
    await stage.pilot.press("j", "j")
    await rest(stage)


async def stop(stage: Triage) -> None:
    """A question before the end of a batch."""
    await draining(stage)
    await stage.pilot.press("x")
    await rest(stage)


@asynccontextmanager
async def staged(size: tuple[int, int], **settings: Any) -> AsyncIterator[Triage]:
    """A console for one scene."""
    app = SceneApp(await open_workspace(**settings))
    async with app.run_test(size=size) as pilot:
        yield await set_stage(pilot)
