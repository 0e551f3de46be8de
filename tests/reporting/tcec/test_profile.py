"""Profiles as data: what comes with the program, and how a wrong one is named."""

from pathlib import Path

import pytest

from csms.domain.assets import ConnectorStatus
from csms.errors import ConfigError
from csms.reporting.tcec.profile import Profile, ProfileError, bundled, load_profile


def written(folder: Path, text: str, name: str = "city.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", bundled())
def test_every_bundled_profile_is_whole(name: str) -> None:
    """It loads under its own name, has a code for every status and knows what it tells."""
    profile = load_profile(name)

    assert profile.name == name
    assert set(profile.status_codes) == set(ConnectorStatus)
    assert "connector-status" in profile.sent()
    assert {"query-token", "stations-info", "station-status"} <= set(profile.answered())


def test_beijing_differs_where_it_does() -> None:
    """Its date in the path, its own order interface, 150 s first; the rest is the standard's."""
    beijing, standard = load_profile("beijing"), load_profile("tcec102-2016")

    order = beijing.push("charge-order")
    assert order is not None
    assert beijing.url_path(order.path) == "/evcs/20160701/notification_charge_order_info_for_bonus"
    assert [beijing.retry_after_s("charge-order", n) for n in (1, 2, 6, 7, 1000)] == [
        150,
        300,
        3600,
        3600,
        3600,
    ]
    assert beijing.spelling == standard.spelling
    assert beijing.push("start-result") == standard.push("start-result")
    assert beijing.answered() == standard.answered()


def test_hourly_totals_only_where_there_is_a_path() -> None:
    """T/CEC 102 has no such push."""
    assert load_profile("tcec102-2016").push("hour-total") is None
    assert load_profile("simulated").push("hour-total") is not None
    assert load_profile("simulated").push("no-such-kind") is None


def test_another_city_is_another_file(tmp_path: Path) -> None:
    """It moves an interface to the root, corrects a spelling and drops a push of the one it extends."""
    path = written(
        tmp_path,
        """
extends: tcec102-2016
name: joint-test
base_path: /shevcs/v1.0
pushes:
  connector-status: {path: /notification_stationStatus, shape: array, spelling: {Status: State}}
  charge-order: null
spelling: {TotalServiceMoney: TotalServiceMoney}
answers: {already: [4015]}
""",
    )

    profile = load_profile(path)

    assert "charge-order" not in profile.sent()
    status = profile.pushes.connector_status
    assert status is not None
    assert (status.shape, profile.url_path(status.path)) == ("array", "/notification_stationStatus")
    assert profile.url_path(profile.query_token) == "/shevcs/v1.0/query_token"
    assert profile.spelling["TotalServiceMoney"] == "TotalServiceMoney"
    assert profile.spelling["ServicePrice"] == "SevicePrice"
    assert (profile.answers.already, profile.answers.accepted) == ((4015,), (0,))


def test_a_file_may_extend_a_file_beside_it(tmp_path: Path) -> None:
    """Wherever the program was started."""
    written(tmp_path, "extends: beijing\nname: base\n", "base.yaml")

    assert load_profile(written(tmp_path, "extends: base.yaml\nname: top\n")).base_path == "/evcs/20160701"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("base_pth: /evcs", "city.yaml:3: base_pth: Extra inputs are not permitted"),
        ("base_path: evcs/", "city.yaml:3: base_path: String should match pattern"),
        ("decimals: {money: two}", "city.yaml:3: decimals.money: Input should be a valid integer"),
        ("decimals:\n  money: 9", "city.yaml:4: decimals.money: Input should be less than or equal to 6"),
        ("spelling: {TotalSrviceMoney: X}", "city.yaml:3: spelling: TotalSrviceMoney is no field"),
        ("spelling: {TotalPower: 'a b'}", "city.yaml:3: spelling.TotalPower: String should match"),
        ("status_codes: {charging: null}", "city.yaml:3: status_codes: no code for charging"),
        ("status_codes: {loading: 3}", "city.yaml:3: status_codes.loading: Input should be"),
        ("stop_reasons: {otherwise: null}", "city.yaml:3: stop_reasons: `otherwise` is missing"),
        ("answers: {again: [0]}", "city.yaml:3: answers: Ret 0 is given two meanings"),
        (
            "pushes: {charge-order: {retry_s: []}}",
            "pushes.charge-order.retry_s: Tuple should have at least 1",
        ),
        ("pushes: {charge-order: {fields: [Sum]}}", "pushes.charge-order.fields.0: Input should be"),
        ("pushes: {orders: {path: x}}", "city.yaml:3: pushes.orders: Extra inputs"),
        ("name: twice", "city.yaml:3: name stands twice"),
        ("extends: beijing", "city.yaml:3: extends stands twice"),
        ("pushs: {}", "city.yaml:3: pushs: Extra inputs"),
        (
            "pushes: {charge-order: {fields: [StartChargeSeq, TotalPowr]}}",
            "city.yaml:3: pushes.charge-order.fields.1: Input should be",
        ),
        (
            "pushes: {charge-order: {retry_s: [60, 30]}}",
            "city.yaml:3: pushes.charge-order.retry_s: a wait is shorter than the one before it",
        ),
        ("pushes: {charge-order: {retry_s: [0]}}", "city.yaml:3: pushes.charge-order.retry_s.0: Input"),
        ("pushes: {charge-order: {retry_s: [604801]}}", "city.yaml:3: pushes.charge-order.retry_s.0: Input"),
        (
            "pushes: {charge-order: {retry_s: [60], retry_repeats: all}}",
            "city.yaml:3: pushes.charge-order.retry_repeats: one wait has no list",
        ),
        (
            "pushes: {charge-order: {fields: [StartChargeSeq]}}",
            "pushes.charge-order.required: ConnectorID is not among the fields",
        ),
        (
            "spelling: {StartTime: EndTime}",
            "city.yaml:3: spelling: two fields of",
        ),
        (
            "pushes: {order-check: {from: '04:00'}}",
            "pushes.order-check.until: the window ends before it begins",
        ),
        ("pulls: {stations-info: {page_size: 200}}", "pulls.stations-info.page_size: larger than"),
        ("reportable: {sites: class}", "city.yaml:3: reportable.classes: sites: class needs at least one"),
        ("reportable: {sites: all, kinds: [public]}", "city.yaml:3: reportable.kinds: only with"),
        ("codes: {tea: {green: 1}}", "city.yaml:3: codes.tea: Input should be"),
        ("objects: {station: {lengths: {Tea: 1}}}", "objects.station.lengths: Tea is not among the fields"),
        (
            "pushes: {alarm: {path: a, fields: [AlarmCode], retry_s: [1]}}",
            "city.yaml: alarms: `otherwise` is missing",
        ),
        ("title: [", "city.yaml:4: not valid YAML"),
    ],
)
def test_a_wrong_profile_is_named_by_file_line_and_key(tmp_path: Path, line: str, said: str) -> None:
    """Whoever writes a city's profile is told where it is wrong."""
    path = written(tmp_path, f"extends: tcec102-2016\nname: city\n{line}\n")

    with pytest.raises(ProfileError) as caught:
        load_profile(path)

    assert said in str(caught.value)


def test_an_error_in_the_file_below_names_that_file(tmp_path: Path) -> None:
    """The line is where the key stands, not where the profile was asked for."""
    written(tmp_path, "extends: beijing\nname: base\nquery_token: ' '\n", "base.yaml")

    with pytest.raises(ProfileError, match=r"base\.yaml:3: query_token"):
        load_profile(written(tmp_path, "extends: base.yaml\nname: top\n"))


@pytest.mark.parametrize("text", ["", "- a", "just words"])
def test_a_file_without_keys(tmp_path: Path, text: str) -> None:
    """An empty file, a list or a sentence is no profile."""
    with pytest.raises(ProfileError, match=r"city\.yaml:1: expected keys"):
        load_profile(written(tmp_path, text))


def test_what_cannot_be_found_or_read(tmp_path: Path) -> None:
    """No such name, no such file, not text, a circle: all are configuration errors."""
    written(tmp_path, "extends: b.yaml\n", "a.yaml")
    written(tmp_path, "extends: a.yaml\n", "b.yaml")
    (tmp_path / "c.yaml").write_bytes(b"\xff\xfe")
    (tmp_path / "d.yaml").write_text("extends: 5\n")
    (tmp_path / "e.yaml").write_text("#" * 300_000)

    sources: list[tuple[str | Path, str]] = [
        ("atlantis", "known: beijing, shenzhen, simulated, tcec102-2016, xiaoju"),
        ("../beijing", "there is no profile"),
        (tmp_path / "none.yaml", "cannot be read"),
        (tmp_path / "a.yaml", "extends itself"),
        (tmp_path / "c.yaml", "cannot be read"),
        (tmp_path / "d.yaml", "d.yaml:1: extends: expected the name"),
        (tmp_path / "e.yaml", "larger than"),
    ]
    for source, said in sources:
        with pytest.raises(ConfigError, match=said):
            load_profile(source)


def test_a_profile_is_frozen() -> None:
    """Nobody changes a city's rules at run time."""
    with pytest.raises(ValueError, match="frozen"):
        load_profile("beijing").name = "else"


def test_profiles_are_values() -> None:
    """Two loads give equal profiles."""
    assert isinstance(load_profile("beijing"), Profile)
    assert load_profile("beijing") == load_profile("beijing")
