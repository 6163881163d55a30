"""What an operator types into a search, turned into users. The text decides the query."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

from console.okta.client import OktaClient
from console.okta.errors import GroupNotFound, NotFound
from console.okta.limits import Priority
from console.okta.models import User, is_user_id
from console.okta.query import literal, prefix_search
from console.text import sanitize

GROUP = "group:"
EXPRESSION = "="


async def find_users(
    client: OktaClient, text: str, *, priority: Priority = Priority.INTERACTIVE
) -> AsyncGenerator[tuple[User, ...], None]:
    """Users that `text` names, one tuple a page, each user once; blank text finds nobody.

    An Okta ID is read by ID; what holds an `@` is the start of a login or email; `group:NAME` are a group's members;
    `=EXPR` is Okta's own expression, sent as it is; the rest is the start of a login, email, first or last name.
    Raises OktaError, NotFound among them for a group that does not exist.
    """
    seen: set[str] = set()
    async for page in _pages(client, text.strip(), priority):
        new = tuple({user.id: user for user in page if user.id not in seen}.values())
        seen.update(user.id for user in new)
        if new:
            yield new


async def _pages(client: OktaClient, text: str, priority: Priority) -> AsyncIterator[tuple[User, ...]]:
    if text.startswith(EXPRESSION):
        expression = text.removeprefix(EXPRESSION).strip()
    elif text[: len(GROUP)].lower() == GROUP:
        async for page in _members(client, text[len(GROUP) :].strip(), priority):
            yield page
        return
    elif is_user_id(text):
        try:
            yield (await client.get_user(text, priority=priority),)
        except NotFound:
            if text.startswith("00u"):
                return
        else:
            return
        # Twenty letters without a space can be a name, too.
        expression = prefix_search(text)
    elif "@" in text:
        expression = f"profile.login sw {literal(text)} or profile.email sw {literal(text)}"
    else:
        expression = prefix_search(text) if text else ""
    if expression:
        async for page in client.search_users(expression, priority=priority):
            yield page


async def _members(client: OktaClient, name: str, priority: Priority) -> AsyncIterator[tuple[User, ...]]:
    """Members of every group of that name; an app may bring a second one."""
    if not name:
        return
    groups = await client.find_groups(name, priority=priority)
    if not groups:
        raise GroupNotFound(f"no group is named {sanitize(name)}")
    for group in groups:
        async for page in client.group_members(group.id, priority=priority):
            yield page
