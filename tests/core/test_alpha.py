import numpy as np

from clearzoom.core.alpha import fill_transparent


def test_hidden_colour_comes_from_what_is_visible(random):
    colour = random.uniform(0, 255, (17, 23, 3)).astype(np.float32)
    alpha = np.zeros((17, 23), np.float32)
    alpha[5:9, 6:12] = 255
    colour[5:9, 6:12] = (200, 10, 60)
    filled = fill_transparent(colour, alpha)
    np.testing.assert_allclose(filled, np.broadcast_to((200, 10, 60), filled.shape), atol=1e-3)


def test_visible_colour_is_untouched_and_the_nearer_wins(random):
    colour = random.uniform(0, 255, (8, 32, 3)).astype(np.float32)
    alpha = np.zeros((8, 32), np.float32)
    alpha[:, :4] = alpha[:, -4:] = 255
    colour[:, :4], colour[:, -4:] = 0, 255
    filled = fill_transparent(colour, alpha)
    np.testing.assert_array_equal(filled[alpha > 0], colour[alpha > 0])
    assert filled[:, 5].max() < 100 < 155 < filled[:, -6].min()


def test_wholly_transparent_and_wholly_opaque_stay(random):
    colour = random.uniform(0, 255, (3, 3, 3)).astype(np.float32)
    for level in (0, 255):
        alpha = np.full((3, 3), level, np.float32)
        np.testing.assert_array_equal(fill_transparent(colour, alpha), colour)
