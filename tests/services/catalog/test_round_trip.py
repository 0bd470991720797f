"""A catalog, its file and its tables say the same, whatever the catalog."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from portal.domain.catalog import Catalog
from portal.services.accounts import ensure_environment
from portal.services.catalog.applying import Applied
from portal.services.catalog.changes import compare
from portal.services.catalog.checking import BadFile, CatalogFile, read_catalog
from portal.services.catalog.exporting import export_catalog
from tests.services.catalog.bad_files import SOUND
from tests.services.catalog.catalogs import catalogs
from tests.services.catalog.shop import Shop, open_shop, sound
from tests.support.database import Database

_tenants = count()
_NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)  # minutes, through a database


@pytest.fixture(scope="module")
def street(module_database: Database) -> Iterator[Shop]:
    """One database for many environments."""
    with open_shop(module_database) as shop:
        yield shop


def empty_shop(street: Shop) -> Shop:
    with street.session() as session:
        scope = ensure_environment(session, f"tenant-{next(_tenants)}", "Any", "development")
    return Shop(street.engine, scope)


@settings(max_examples=60, deadline=None)
@given(catalogs())
def test_the_file_of_a_catalog_reads_back_as_that_catalog(catalog: Catalog) -> None:
    text = export_catalog(catalog)
    assert sound(text) == catalog
    assert export_catalog(sound(text)) == text


@settings(max_examples=12, deadline=None, phases=_NO_SHRINKING)
@given(catalog=catalogs())
def test_a_catalog_survives_the_tables_and_another_environment(
    street: Shop, catalog: Catalog
) -> None:
    first, second = empty_shop(street), empty_shop(street)
    text = export_catalog(catalog)
    first.apply(text)
    exported = first.export()
    second.apply(exported)

    assert exported == text
    assert second.export() == exported
    assert first.apply(exported).proposal.steps == ()


@settings(max_examples=12, deadline=None, phases=_NO_SHRINKING)
@given(before=catalogs(), after=catalogs())
def test_any_unsold_catalog_can_become_any_other(
    street: Shop, before: Catalog, after: Catalog
) -> None:
    shop = empty_shop(street)
    shop.apply(export_catalog(before))
    outcome = shop.apply(export_catalog(after))

    assert isinstance(outcome, Applied)
    assert compare(shop.catalog(), after) == ()


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, len(SOUND)),
    st.integers(0, 30),
    st.text(st.characters(codec="utf-8"), max_size=5) | st.sampled_from("{}[]:,&*!|>'\"%@\n\t- "),
)
def test_a_spoilt_file_is_read_or_explained(start: int, length: int, noise: str) -> None:
    text = SOUND[:start] + noise + SOUND[start + length :]
    match read_catalog(text.encode()):
        case BadFile(problems):
            assert problems
            assert all(1 <= problem.line <= text.count("\n") + 2 for problem in problems)
        case CatalogFile(catalog):
            assert sound(export_catalog(catalog)) == catalog
