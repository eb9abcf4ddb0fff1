import pytest

from clearzoom.train.recipe import Recipe


@pytest.fixture
def losses(monkeypatch):
    """Every step's loss, as the recipe computes it."""
    seen = {}
    one_step = Recipe._one_step

    def watched(self):
        step = self.step
        loss = one_step(self)
        seen[step] = loss.item()
        return loss

    monkeypatch.setattr(Recipe, "_one_step", watched)
    return seen
