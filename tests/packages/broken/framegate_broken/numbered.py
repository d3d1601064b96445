"""A card whose version is a number."""

from framegate_broken.cards import card

CARD = card("numbered", version=2)
