"""What is coded of the cases: planted codes, worked by hand."""

import pandas as pd
import pytest

from taobao_villages import coding, data


@pytest.fixture
def planted(monkeypatch):
    tables = {
        "cases/case_codes": pd.DataFrame(
            {
                "case_id": ["a", "b", "c"],
                "dimension": ["diffusion", "diffusion", "initiator"],
                "code": ["kin", "friends", "firm"],
                "value": "1",
                "source_id": "s",
                "paraphrase": ["Said.", "Read so (coder inference).", None],
            }
        ),
        "cases/codebook": pd.DataFrame(
            {
                "dimension": ["diffusion", "diffusion", "diffusion", "initiator"],
                "code": ["kin", "friends", "training", "firm"],
                "group": ["network", "network", "training", "firm"],
            }
        ),
    }
    monkeypatch.setattr(data, "load", lambda name: tables[name].copy())


def test_codes_are_joined_to_concepts(planted):
    assert coding.reported("diffusion") == {"a", "b"}
    assert coding.reported("diffusion", "network") == {"a", "b"}
    assert coding.reported("diffusion", "training") == set()


def test_doubtful_codes_can_be_left_out(planted):
    assert coding.reported("diffusion", doubtful=False) == {"a"}
    assert coding.reported("initiator", doubtful=False) == {"c"}


def test_what_the_codebook_does_not_have_is_named(planted):
    with pytest.raises(ValueError, match="no netwrok"):
        coding.reported("diffusion", "netwrok")
    with pytest.raises(ValueError, match="no weather"):
        coding.reported("weather")
    with pytest.raises(ValueError, match="third"):
        coding.codes(coder="third")
