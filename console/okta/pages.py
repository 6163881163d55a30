"""Link-header pagination. The next page is asked of the same origin, or not at all."""

from __future__ import annotations

import re

import httpx

from console.okta.errors import ForeignLink, UnexpectedAnswer
from console.okta.origin import origin_of

# Not httpx's own reading: that splits at every semicolon, and a page would be lost over one in a cursor.
LINK = re.compile(r"<([^<>]*)>([^<]*)")
REL = re.compile(r";\s*rel\s*=\s*\"?([^\";,]*)", re.IGNORECASE)


def next_page(headers: httpx.Headers, asked: httpx.URL) -> httpx.URL | None:
    """The address of the page after `asked`, or None at the end of the list.

    It is rebuilt on the origin of `asked` from the path and query of the link. Raises ForeignLink where the link leads
    to another scheme, host or port or carries a user name, UnexpectedAnswer where it can't be read or leads back here.
    """
    for target, parameters in LINK.findall(", ".join(headers.get_list("link"))):
        rel = REL.search(parameters)
        if rel is None or "next" not in rel.group(1).lower().split():
            continue
        return followed(target, asked)
    return None


def followed(target: str, asked: httpx.URL) -> httpx.URL:
    """The address that a link of the answer to `asked` leads to. Raises as `next_page` does."""
    try:
        url = asked.join(target)
    except httpx.InvalidURL as error:
        raise UnexpectedAnswer("The link to the next page can't be read") from error
    if origin_of(url) != origin_of(asked) or url.userinfo:
        raise ForeignLink(f"The next page is said to be on another host ({url.host}); it was not asked for")
    following = asked.copy_with(raw_path=url.raw_path)
    if following == asked:
        raise UnexpectedAnswer("The link to the next page leads back to this one")
    return following
