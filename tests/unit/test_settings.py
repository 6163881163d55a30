"""Where settings come from, which source wins, what is refused, and that no message ever holds a secret."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from console import settings as module
from console.settings import Settings, SettingsError, explain, load, load_demo

CANARY = "00canary-token-never-to-be-seen"
ORG = "https://acme.okta.com"


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def config(text: str, *, mode: int = 0o600) -> Path:
    path = Path(os.environ["EVICT_CONFIG_DIR"]) / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def okta_yaml(folder: Path, **client: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "okta.yaml"
    path.write_text("okta:\n  client:\n" + "".join(f"    {key}: {value}\n" for key, value in client.items()))
    return path


def problem(**overrides: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        load(**overrides)
    assert CANARY not in str(caught.value)
    assert CANARY not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return str(caught.value)


def test_each_source_wins_over_the_ones_below(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().org_url is None
    home = okta_yaml(Path.home() / ".okta", orgUrl="https://home.okta.com")
    assert load().org_url == "https://home.okta.com"
    local = okta_yaml(here, orgUrl="https://local.okta.com")
    assert load().org_url == "https://local.okta.com"
    toml = config('org_url = "https://config.okta.com"')
    assert load().org_url == "https://config.okta.com"
    monkeypatch.setenv("OKTA_CLIENT_ORGURL", "https://sdk.okta.com")
    assert load().org_url == "https://sdk.okta.com"
    monkeypatch.setenv("EVICT_ORG_URL", "https://evict.okta.com")
    assert load().org_url == "https://evict.okta.com"
    assert load(org_url="https://option.okta.com").org_url == "https://option.okta.com"
    assert load(org_url=None).org_url == "https://evict.okta.com"
    assert home.exists()
    assert local.exists()
    assert toml.exists()


def test_sources_are_mixed_setting_by_setting(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    okta_yaml(here, orgUrl=ORG, token="yaml-token", authorizationMode="Bearer")
    monkeypatch.setenv("OKTA_CLIENT_TOKEN", CANARY)
    settings = load(reserve=0.5)
    assert (settings.org_url, settings.token_prefix, settings.reserve) == (ORG, "Bearer", 0.5)
    assert settings.token == SecretStr(CANARY)
    told = {row.name: (row.value_masked, row.source) for row in explain(settings)}
    assert told["token"] == ("********", "environment OKTA_CLIENT_TOKEN")
    assert told["org_url"] == (ORG, str(here / "okta.yaml"))
    assert told["reserve"] == ("0.5", "command line")
    assert told["in_flight"] == ("8", "default")
    assert "sources" not in told


def test_explain_and_repr_hold_no_secret() -> None:
    proxy = "http://me:hunter2@proxy.test:8080"
    settings = load(token=CANARY, org_url=ORG, proxy=proxy)
    shown = f"{settings!r} {settings} {explain(settings)} {settings.model_dump()} {settings.model_dump_json()}"
    assert CANARY not in shown
    assert "hunter2" not in shown
    assert {row.name: row.value_masked for row in explain(settings)}["proxy"] == "http://********@proxy.test:8080"


@pytest.mark.parametrize(
    ("given_url", "wanted"),
    [
        ("https://acme.okta.com", "https://acme.okta.com"),
        (" https://Acme.Okta.com/ ", "https://acme.okta.com"),
        ("https://acme.okta.com:443", "https://acme.okta.com"),
        ("https://login.acme.test:8443", "https://login.acme.test:8443"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://localhost:8000/", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_takes_an_org_url(given_url: str, wanted: str) -> None:
    assert load(org_url=given_url).org_url == wanted


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://acme.okta.com", "https"),
        ("http://127.0.0.1.evil.test", "https"),
        ("acme.okta.com", "https"),
        ("ftp://acme.okta.com", "https"),
        ("https://acme-admin.okta.com", "use https://acme.okta.com"),
        ("https://acme.okta.com/api/v1", "use https://acme.okta.com"),
        ("https://acme.okta.com?x=1", "use https://acme.okta.com"),
        ("https://acme.okta.com#x", "use https://acme.okta.com"),
        ("https://acme.okta.com?", "use https://acme.okta.com"),
        ("https://me:pw@acme.okta.com", "password"),
        ("https://acme.okta.com@evil.test", "user name"),
        ("https://{yourOktaDomain}", "placeholder"),
        ("https://acme.okta.com.com", "use https://acme.okta.com"),
        ("https://https://acme.okta.com", "https"),
        ("https://", "host"),
        ("https://acme..okta.com", "host"),
        ("https://acme.okta.com:port", "not a URL"),
        ("https://аcme.okta.com", "ASCII"),
        ("https://acme.okta.com\\@evil.test", "ASCII"),
        ("https://acme.okta\n.com", "ASCII"),
        ("https://acme.okta.com:99999", "not a URL"),
    ],
)
def test_refuses_an_org_url(url: str, word: str) -> None:
    message = problem(org_url=url)
    assert message.startswith("org_url (command line) ")
    assert word in message


@pytest.mark.parametrize(
    "token",
    [
        "",
        "  ",
        "{apiToken}",
        f"{CANARY}\n",
        f"{CANARY}\r\nX-Evil: 1",
        f"SSWS {CANARY}",
        f"a{CANARY} b",
        f"ключ{CANARY}",
    ],
)
def test_refuses_a_token_without_saying_it(token: str) -> None:
    message = problem(token=token)
    assert message.startswith("token (command line) ")


@given(st.text(min_size=3))
def test_no_message_ever_holds_the_token(token: str) -> None:
    canary = f"canary{token}"
    for wrong in (canary + "\n", f"ssws {canary}", [canary], {"x": canary}):
        with pytest.raises(SettingsError) as caught:
            load(token=wrong)
        assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"reserve": 20}, "(0.2 is 20 %)"),
        ({"reserve": float("nan")}, "reserve"),
        ({"in_flight": 11}, "in_flight"),
        ({"pace": "fast"}, "'sprint' or 'spread'"),
        ({"connect_timeout": 0}, "connect_timeout"),
        ({"token_prefix": "SSWS\n"}, "token_prefix"),
        ({"ca_file": "missing.pem"}, "names no file"),
        ({"proxy": f"socks5://{CANARY}@x"}, "proxy"),
        ({"log_level": "loud"}, "log_level"),
        ({"terminal_colours": 8}, "'truecolor', '256', '16' or 'none'"),
        ({"terminal_colours": True}, "terminal_colours"),
        ({"glyphs": "emoji"}, "'unicode' or 'ascii'"),
        ({"shade": "red"}, "unknown setting 'shade'"),
        ({"sources": {}}, "unknown setting 'sources'"),
    ],
)
def test_refuses_values_out_of_bounds(wrong: dict[str, Any], word: str) -> None:
    assert word in problem(**wrong)


def test_a_number_of_colours_needs_no_quotes() -> None:
    config("terminal_colours = 256\nglyphs = 'ASCII'")
    assert (load().terminal_colours, load().glyphs) == ("256", "ascii")
    assert load(terminal_colours="none").terminal_colours == "none"


def test_every_problem_has_a_line_of_its_own() -> None:
    with pytest.raises(SettingsError) as caught:
        load(org_url="x", reserve=2)
    assert len(caught.value.problems) == 2
    assert str(caught.value).count("\n") == 1


def test_the_environment_carries_lists_tables_and_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVICT_PROTECTED_USERS", "breakglass@acme.test, root*@acme.test ,")
    monkeypatch.setenv("EVICT_PROTECTED_GROUPS", '["Admins, all"]')
    monkeypatch.setenv("EVICT_KEYS", '{"queue.add": "a"}')
    monkeypatch.setenv("EVICT_READ_ONLY", "yes")
    monkeypatch.setenv("EVICT_TOKEN", "")
    settings = load()
    assert settings.protected_users == ("breakglass@acme.test", "root*@acme.test")
    assert settings.protected_groups == ("Admins, all",)
    assert settings.keys == {"queue.add": "a"}
    assert settings.read_only is True
    assert settings.token is None
    monkeypatch.setenv("EVICT_KEYS", "{" + CANARY)
    assert "EVICT_KEYS" in problem()


def test_a_mistyped_variable_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVICT_SOMETHING_ELSE", "1")
    load()
    monkeypatch.setenv("EVICT_READONLY", "1")
    assert "EVICT_READONLY is unknown: did you mean EVICT_READ_ONLY?" in problem()


def test_config_names_the_unknown_key_and_the_nearest_right_one() -> None:
    path = config('reserv = 0.1\norg-url = "x"\nzzzz = 1\n[profiles.prod]\nx = 1\n')
    message = problem()
    assert f"unknown setting 'reserv' in {path}: did you mean reserve?" in message
    assert "did you mean org_url?" in message
    assert "'zzzz'" in message
    assert f"unknown setting 'x' in {path} [profiles.prod]" in message


def test_config_takes_every_kind_of_value() -> None:
    config(
        'protected_users = ["a@acme.test"]\nprotected_groups = "Admins"\nread_only = true\n[keys]\n"queue.add" = "a"\n'
    )
    settings = load()
    assert settings.protected_users == ("a@acme.test",)
    assert settings.protected_groups == ("Admins",)
    assert settings.read_only is True
    assert settings.keys == {"queue.add": "a"}


def test_a_token_in_config_needs_a_private_file() -> None:
    text = f'token = "{CANARY}"'
    config(text)
    assert load().token == SecretStr(CANARY)
    config(text, mode=0o640)
    assert "chmod 600" in problem()
    config("reserve = 0.1", mode=0o644)
    assert load().reserve == 0.1


@pytest.mark.parametrize("text", [f'token = "{CANARY}', f"{CANARY} = = 1", f'token = ["{CANARY}"]', "\x00", "[" * 5000])
def test_broken_toml_is_refused_without_its_text(text: str) -> None:
    path = config(text)
    assert str(path) in problem()


@pytest.mark.parametrize("text", [f"okta: [{CANARY}", f"okta:\n\tclient: {CANARY}", "- x: [" * 3000])
def test_broken_yaml_is_refused_without_its_text(here: Path, text: str) -> None:
    (here / "okta.yaml").write_text(text)
    assert "okta.yaml is not valid YAML" in problem()


@pytest.mark.parametrize(
    "text", ["", "x", "- 1", "okta: 1", "okta:\n  client: null", "okta:\n  client:\n    cache: {}\n"]
)
def test_yaml_without_a_client_is_nothing(here: Path, text: str) -> None:
    (here / "okta.yaml").write_text(text)
    assert load().org_url is None


def test_yaml_makes_no_objects(here: Path) -> None:
    (here / "okta.yaml").write_text("okta: !!python/object/apply:os.system ['true']")
    assert "not valid YAML" in problem()


def test_large_foreign_and_unreadable_files_are_refused(here: Path) -> None:
    path = here / "okta.yaml"
    path.write_bytes(b"#" * (1024 * 1024 + 1))
    assert "larger than 1 MiB" in problem()
    path.write_bytes(b"\xff\xfe\x00x")
    assert "not UTF-8" in problem()
    path.write_text("okta: {}")
    path.chmod(0o666)
    assert "somebody else" in problem()
    path.unlink()
    path.mkdir()
    assert "cannot read" in problem()


def test_the_strongest_source_with_a_credential_decides_how_to_sign_in(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load().sign_in is None
    okta_yaml(here, orgUrl=ORG, authorizationMode="PrivateKey", clientId="0oa1", privateKey=CANARY, kid="k1")
    settings = load()
    assert (settings.sign_in, settings.client_id, settings.key_id) == ("service_app", "0oa1", "k1")
    monkeypatch.setenv("EVICT_TOKEN", CANARY)
    assert (load().sign_in, load().token_prefix) == ("token", "SSWS")
    monkeypatch.setenv("OKTA_CLIENT_AUTHORIZATIONMODE", "PrivateKey")
    assert load().sign_in == "service_app"
    monkeypatch.setenv("OKTA_CLIENT_AUTHORIZATIONMODE", "bearer")
    assert (load().sign_in, load().token_prefix) == ("token", "Bearer")
    monkeypatch.setenv("EVICT_SIGN_IN", "device")
    assert load().sign_in == "device"
    monkeypatch.setenv("OKTA_CLIENT_AUTHORIZATIONMODE", "Cookie")
    assert "none of SSWS, Bearer and PrivateKey" in problem()


def test_oktas_own_variables_name_an_app(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OKTA_CLIENT_CLIENTID", "0oa1")
    monkeypatch.setenv("OKTA_CLIENT_SCOPES", "okta.users.manage, okta.groups.read")
    monkeypatch.setenv("OKTA_CLIENT_PRIVATEKEY", CANARY)
    settings = load()
    assert (settings.sign_in, settings.client_id) == ("service_app", "0oa1")
    assert settings.scopes == ("okta.users.manage", "okta.groups.read")
    assert CANARY not in "".join(row.value_masked for row in explain(settings))
    okta_yaml(here, dpopEnabled="true")
    assert load().dpop == "always"


def test_the_demo_never_sees_a_credential(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    okta_yaml(here, orgUrl="https://x-admin.okta.com", authorizationMode="PrivateKey")
    monkeypatch.setenv("EVICT_TOKEN", CANARY)
    monkeypatch.setenv("OKTA_CLIENT_PRIVATEKEY", CANARY)
    settings = load_demo(in_flight=3)
    assert (settings.org_url, settings.token, settings.private_key, settings.sign_in) == (None, None, None, None)
    assert settings.in_flight == 3


def test_folders_come_from_the_environment_and_home_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load()
    assert settings.data_dir == Path(os.environ["EVICT_DATA_DIR"])
    assert settings.config_dir == Path(os.environ["EVICT_CONFIG_DIR"])
    monkeypatch.setenv("EVICT_DATA_DIR", "~/data")
    assert load().data_dir == Path.home() / "data"


def test_settings_made_by_hand_read_nothing_and_can_not_be_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVICT_ORG_URL", ORG)
    settings = Settings()
    assert settings.org_url is None
    with pytest.raises(ValidationError):
        settings.org_url = ORG  # type: ignore[misc]
    with pytest.raises(ValidationError) as caught:
        Settings(token=[CANARY])  # type: ignore[arg-type]
    assert CANARY not in str(caught.value)


def test_every_setting_says_where_it_came_from() -> None:
    assert [row.name for row in explain(load())] == [name for name in Settings.model_fields if name != "sources"]
    assert module.KNOWN[0] == "profile"


PROFILES = """
profile = "prod"
reserve = 0.3
[profiles.prod]
org_url = "https://prod.okta.com"
colour = "red"
read_only = true
[profiles.preview]
org_url = "https://preview.oktapreview.com"
reserve = 0.0
"""


def test_a_profile_outweighs_what_stands_above_it(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toml = config(PROFILES)
    okta_yaml(here, orgUrl="https://yaml.okta.com")
    settings = load()
    assert (settings.org_url, settings.colour, settings.read_only) == ("https://prod.okta.com", "red", True)
    assert settings.reserve == 0.3
    assert settings.sources["org_url"] == f"{toml} [profiles.prod]"
    assert settings.sources["reserve"] == str(toml)
    monkeypatch.setenv("EVICT_PROFILE", "preview")
    settings = load()
    assert (settings.org_url, settings.reserve, settings.read_only) == ("https://preview.oktapreview.com", 0.0, False)
    assert load(profile="prod").org_url == "https://prod.okta.com"
    assert module.profiles() == ("prod", "preview")


def test_a_profile_that_is_not_there_is_told_with_those_that_are(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "does not exist" in problem(profile="prod")
    config(PROFILES)
    assert "there are: prod, preview" in problem(profile="prd")
    config('profile = "gone"')
    assert "there is no profile 'gone'" in problem()
    monkeypatch.setenv("EVICT_PROFILE", "gone")
    assert load_demo().org_url is None, "the demo has no profile"


def test_an_environment_that_means_another_org_is_refused(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config(PROFILES)
    monkeypatch.setenv("OKTA_CLIENT_ORGURL", "https://prod.okta.com/")
    assert load().org_url == "https://prod.okta.com"
    monkeypatch.setenv("OKTA_CLIENT_ORGURL", "https://other.okta.com")
    assert "another org than that of" in problem()
    assert load_demo().org_url is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("profiles = 3", "must be tables"),
        ("[profiles]\nprod = 3", "must be tables"),
        ("[profiles.prod]\nresrve = 0.1", r"did you mean reserve"),
        ("[profiles.prod]\nprofile = 'x'", "unknown setting"),
        ("[profiles.prod]\ncolour = 'mauve'\n", ""),
    ],
)
def test_profiles_are_checked_as_everything_else(here: Path, text: str, words: str) -> None:
    config(text)
    if words:
        assert words in problem()
    else:
        assert "colour" in problem(profile="prod")


def test_a_secret_in_a_profile_wants_a_private_file(here: Path) -> None:
    config(f'[profiles.prod]\ntoken = "{CANARY}"', mode=0o644)
    assert "chmod 600" in problem()
