from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.errors
import pytest
from keyring.backends import null

from console.history.chain import key_id as key_id_of
from console.history.keys import (
    MARKER,
    KeyringStore,
    Keys,
    KeysUnavailable,
    MemoryStore,
    create_key,
    marked,
)
from console.paths import UnsafePathError
from tests.support.keyring import MemoryKeyring, memory_keyring

KEY = bytes(range(32))


@pytest.fixture
def backend() -> Iterator[MemoryKeyring]:
    with memory_keyring() as ours:
        yield ours


def test_a_key_is_made_kept_and_found_again(backend: MemoryKeyring, tmp_path: Path) -> None:
    key_id = create_key(tmp_path, KeyringStore())
    assert marked(tmp_path) == key_id
    assert (tmp_path / MARKER).stat().st_mode & 0o777 == 0o600
    key = Keys(tmp_path, KeyringStore()).find(key_id)
    assert key is not None
    assert (len(key), key_id_of(key)) == (32, key_id)
    assert Keys(tmp_path, KeyringStore()).writing() == (key, "")


def test_two_keys_are_never_the_same(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(mode=0o700)
    assert create_key(tmp_path / "a", MemoryStore()) != create_key(tmp_path / "b", MemoryStore())


def test_the_key_is_in_no_file_no_message_and_no_repr(tmp_path: Path) -> None:
    store = MemoryStore()
    key_id = create_key(tmp_path, store, random=lambda _: KEY)
    keys = Keys(tmp_path, store)
    assert keys.find(key_id) == KEY
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for text in (repr(store), repr(keys), str(keys), written.hex(), written.decode()):
        assert KEY.hex() not in text
        assert repr(KEY)[2:-1] not in text


def test_a_second_key_must_be_asked_for_and_the_first_stays(tmp_path: Path) -> None:
    store = MemoryStore()
    first = create_key(tmp_path, store)
    with pytest.raises(FileExistsError):
        create_key(tmp_path, store)
    assert marked(tmp_path) == first
    second = create_key(tmp_path, store, replace=True)
    assert marked(tmp_path) == second != first
    assert store.get(first) is not None


def test_without_a_marker_nobody_asks_the_keyring(backend: MemoryKeyring, tmp_path: Path) -> None:
    assert Keys(tmp_path, KeyringStore()).writing() == (None, "")
    assert backend.asked == 0


def test_a_keyring_is_asked_once_for_each_key(backend: MemoryKeyring, tmp_path: Path) -> None:
    keys = Keys(tmp_path, KeyringStore())
    assert [keys.find("0" * 16) for _ in range(3)] == [None] * 3
    assert backend.asked == 1
    assert "has no key of that ID" in keys.why("0" * 16)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (keyring.errors.NoKeyringError("none"), "no keyring on this machine"),
        (keyring.errors.KeyringLocked("locked"), "locked: unlock it"),
        (RuntimeError(f"secret {KEY.hex()}"), "the keyring failed (RuntimeError)"),
    ],
    ids=["none", "locked", "broken"],
)
def test_a_keyring_that_fails_is_told_and_its_words_are_not_quoted(
    backend: MemoryKeyring, tmp_path: Path, error: Exception, told: str
) -> None:
    backend.error = error
    with pytest.raises(KeysUnavailable) as raised:
        create_key(tmp_path, KeyringStore(), random=lambda _: KEY)
    assert told in str(raised.value)
    assert KEY.hex() not in str(raised.value)
    assert not (tmp_path / MARKER).exists(), "no marker without its key"
    (tmp_path / MARKER).write_text("0123456789abcdef\n")
    (tmp_path / MARKER).chmod(0o600)
    key, notice = Keys(tmp_path, KeyringStore()).writing()
    assert key is None
    assert told in notice


def test_a_keyring_that_does_not_answer_holds_nobody(backend: MemoryKeyring) -> None:
    backend.hangs = True
    with pytest.raises(KeysUnavailable, match=r"within 0\.05 s: unlock it"):
        KeyringStore(wait_s=0.05).get("0" * 16)


def test_no_keyring_and_one_that_is_switched_off() -> None:
    with pytest.raises(KeysUnavailable, match="no keyring on this machine"):
        KeyringStore().get("0" * 16)
    before = keyring.get_keyring()
    keyring.set_keyring(null.Keyring())
    try:
        with pytest.raises(KeysUnavailable, match="did not keep"):
            KeyringStore().put(key_id_of(KEY), KEY)
    finally:
        keyring.set_keyring(before)


def test_another_key_under_the_name_is_not_taken(backend: MemoryKeyring, tmp_path: Path) -> None:
    key_id = create_key(tmp_path, KeyringStore())
    place = next(iter(backend.held))
    for value, why in ((KEY.hex(), "another key"), ("no hex", "has no key")):
        backend.held[place] = value
        keys = Keys(tmp_path, KeyringStore())
        assert keys.find(key_id) is None
        assert why in keys.why(key_id)


@pytest.mark.parametrize("content", ["", "0123", "0123456789ABCDEF", "x" * 5000])
def test_a_damaged_marker_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / MARKER).write_text(content)
    (tmp_path / MARKER).chmod(0o600)
    with pytest.raises(KeysUnavailable, match="does not hold the ID of a key"):
        marked(tmp_path)
    key, notice = Keys(tmp_path, MemoryStore()).writing()
    assert key is None
    assert "without its key" in notice


def test_a_marker_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / MARKER).symlink_to(tmp_path / "gone")
    with pytest.raises(UnsafePathError):
        marked(tmp_path)
    with pytest.raises(FileExistsError):
        create_key(tmp_path, MemoryStore())


def test_the_keyring_is_not_imported_before_it_is_asked() -> None:
    code = "import sys, console.history.keys, console.workspace; print('keyring' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
