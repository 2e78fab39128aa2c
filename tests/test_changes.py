"""Which pages a change of data or of the analysis reaches (book/changes.py)."""

from unittest.mock import Mock

import pytest

from taobao_villages.book import build, changes
from taobao_villages.book.notebooks import Ran

NUMBERS = {"C01": {"value": "3.9"}, "C02": {"value": "41"}, "version": "1.0"}
LEDGER = [{"id": "C01", "variants": {"n": 8}}, {"id": "C02", "variants": {"n": 72}}]
PROSE = "It grew {{ C01.value }} times, says\nC02 ($x{y}$).\n"


def told(text=PROSE, ran=None, numbers=NUMBERS, ledger=LEDGER, whole="all"):
    return changes.shown(text, ran, numbers, ledger, whole)


def test_a_page_shows_the_numbers_that_its_prose_names():
    assert told() == told(whole="other") == told(numbers=NUMBERS | {"C02": {"value": "42"}})
    assert told() != told(numbers=NUMBERS | {"C01": {"value": "4.0"}})
    two_lines = "{{ C02.value\n}}"
    assert told(two_lines) != told(two_lines, numbers=NUMBERS | {"C02": {"value": "42"}})


def test_a_page_shows_what_its_notebook_put_out_and_the_variants_of_its_claims():
    ran = Ran("key", "outputs", ("C02",))
    assert told(ran=ran) == told(ran=ran._replace(key="another"))
    assert told(ran=ran) != told(ran=ran._replace(outputs="others"))
    moved = [LEDGER[0], {"id": "C02", "variants": {"n": 73}}]
    assert told(ran=ran) != told(ran=ran, ledger=moved)
    assert told(ran=ran) == told(ran=ran, ledger=[{**row, "data_version": "own"} for row in LEDGER])
    assert told() == told(ledger=moved), "no panel of a claim stands on a page without notebook"


@pytest.mark.parametrize("fence", ["```", ":::", "````", "   ```"])
@pytest.mark.parametrize("name", changes.DIRECTIVES)
def test_what_a_directive_writes_can_hang_on_anything(fence, name):
    text = f"# A page\n\n{fence}{{{name}}} gaps\n{fence}\n"
    assert told(text) != told(text, whole="other")
    assert told(text.replace(name, "note")) == told(text.replace(name, "note"), whole="other")


def test_all_our_directives_are_known(monkeypatch):
    monkeypatch.setattr(build, "alone", Mock())
    monkeypatch.setattr(build, "gc", Mock())
    app = Mock()
    build.setup(app)
    assert tuple(call.args[0] for call in app.add_directive.call_args_list) == changes.DIRECTIVES
