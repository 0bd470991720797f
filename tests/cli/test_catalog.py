"""`flask catalog`: what each command prints, writes and ends with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run, command_of
from tests.services.catalog.bad_files import BAD_FILES, SOUND, Bad
from tests.services.catalog.shop import Shop

FILE = Path("catalog.yaml")
NOTHING = [0] * 7


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    FILE.write_text(SOUND)


@pytest.mark.parametrize("bad", BAD_FILES, ids=[bad.name for bad in BAD_FILES])
def test_a_bad_file_names_every_problem_and_writes_nothing(empty_shop: Shop, bad: Bad) -> None:
    FILE.write_bytes(bad.file())
    result = command_of(empty_shop)("apply", "catalog.yaml")

    *problems, end = result.stderr.splitlines()
    assert tuple(problems) == tuple(f"catalog.yaml:{problem}" for problem in bad.problems)
    assert end.startswith(f"{len(problems)} problem")
    assert (result.exit_code, result.stdout) == (1, "")
    assert empty_shop.row_counts() == NOTHING


def test_the_file_that_the_bad_ones_spoil_is_sound(run: Run, shop: Shop) -> None:
    assert run("apply", "catalog.yaml").exit_code == 0
    assert shop.row_counts() != NOTHING


@pytest.mark.parametrize("command", ["diff", "lint"])
def test_the_other_commands_name_the_problems_too(run: Run, command: str) -> None:
    FILE.write_text(SOUND.replace('"99.00"', "99.00"))
    result = run(command, "catalog.yaml")

    assert result.exit_code == 1
    assert result.stderr.startswith("catalog.yaml:10: amount must stand in quotes")


def test_apply_says_what_it_did_and_then_that_there_is_nothing_to_do(run: Run) -> None:
    first, second = run("apply", "catalog.yaml"), run("apply", "catalog.yaml")

    assert first.stdout.splitlines()[-2:] == [
        "15 changes: 15 added, 0 changed, 0 removed; 0 accounts touched.",
        "Applied.",
    ]
    assert "+ price pack_usd of add-on pack: 49.00 USD once" in first.stdout
    assert "+ price growth_usd of plan growth: 99.00 USD MONTHLY" in first.stdout
    assert (second.exit_code, second.stdout) == (0, "No changes.\n")


def test_diff_shows_fields_prices_and_accounts_and_writes_nothing(run: Run, shop: Shop) -> None:
    shop.apply(SOUND)
    shop.subscribe("Northwind", "growth")
    for name in "ABCDEF":
        shop.subscribe(f"Account {name}", "growth")
    shop.sell("Northwind", "sso")
    before = shop.row_counts()
    FILE.write_text(
        SOUND.replace("name: Growth", "name: Grow")
        .replace('"20.00"', '"25.50"')
        .replace("usage_limit: 100000, usage", "usage_limit: null, usage")
        .replace("      - {feature: response, static_value: Within a day}\n", "")
    )
    result = run("diff", "catalog.yaml")

    everyone = (
        "    touches 7 accounts: Account A, Account B, Account C, Account D, Account E and 2 more"
    )
    assert result.stdout.splitlines() == [
        "~ plan growth",
        "    name: Growth → Grow",
        everyone,
        "~ entitlement messages of plan growth",
        "    usage_limit: 100,000 → unlimited",
        everyone,
        "- entitlement response of plan growth",
        everyone,
        "~ price sso_usd of add-on sso",
        "    amount: 20 → 25.5",
        "    ends, a new one starts; on the old one stays 1 account: Northwind",
        "4 changes: 0 added, 3 changed, 1 removed; 7 accounts touched.",
    ]
    assert result.exit_code == 0
    assert shop.row_counts() == before


@pytest.mark.parametrize("command", ["diff", "apply"])
def test_a_refusal_names_the_line_and_what_to_do_instead(
    run: Run, shop: Shop, command: str
) -> None:
    shop.apply(SOUND)
    shop.subscribe("Northwind", "growth")
    shop.sell("Northwind", "sso")
    shop.sell("Northwind", "pack")
    before = shop.row_counts()
    FILE.write_text(
        SOUND[: SOUND.index("  - lookup_key: sso\n    name")].replace(
            "multiple_instance", "onetime"
        )
    )
    result = run(command, "catalog.yaml")

    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "catalog.yaml:15: add-on pack was sold as multiple_instance, so its type stays:"
        " add another add-on instead",
        "catalog.yaml: add-on sso was sold, so it cannot be removed: set status: archived instead",
        "Refused; nothing was written.",
    ]
    assert shop.row_counts() == before


def test_export_prints_what_applies_without_change(run: Run, shop: Shop) -> None:
    run("apply", "catalog.yaml")
    exported = run("export").stdout
    FILE.write_text(exported)

    assert '{lookup_key: pack_usd, amount: "49.00", currency: usd,' in exported
    assert run("diff", "catalog.yaml").stdout == "No changes.\n"
    assert run("export").stdout == exported


def test_lint_prints_warnings_with_their_lines_and_ends_well(run: Run, shop: Shop) -> None:
    FILE.write_text(SOUND.replace("100,000 message pack", "Extra messages"))
    result = run("lint", "catalog.yaml")

    assert result.stdout.splitlines() == [
        "catalog.yaml:15: add-on pack the name 'Extra messages' hides how much it provides:"
        " say 100,000",
        "1 warning.",
    ]
    assert result.exit_code == 0
    assert shop.row_counts() == NOTHING


def test_a_file_that_is_not_there_is_named(run: Run) -> None:
    result = run("apply", "other.yaml")
    assert result.exit_code == 2
    assert "'other.yaml' does not exist" in result.stderr
